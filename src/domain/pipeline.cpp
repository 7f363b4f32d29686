#include "domain/pipeline.hpp"

#include "domain/hosted_error.hpp"
#include "domain/json_mapping.hpp"

#include <boost/json/parse.hpp>

namespace stele {
namespace {

constexpr std::size_t channels_max = 100;
constexpr std::size_t name_max = 100;
constexpr std::string_view integrations[] = {"slack", "discord", "microsoftTeams", "custom_webhook"};

void check_integration(const std::string& type, Problems& problems) {
    if (std::find(std::begin(integrations), std::end(integrations), type) == std::end(integrations))
        problems.add("integration_type", "must be one of: slack, discord, microsoftTeams, custom_webhook",
                     "literal_error", json_string(first_code_points(type, 64)));
}

void check_name(const std::string& name, Problems& problems) {
    const std::size_t length = code_points(name);
    if (length < 1 || length > name_max)
        problems.add("name", "must have 1 to 100 characters", length < 1 ? "string_too_short" : "string_too_long");
}

Error bad_config(const std::string& text) {
    return hosted_error(ErrorCode::invalid_argument, "producer_config: " + text, "invalidProducerConfig");
}

std::string text_of(const boost::json::value& value) {
    if (value.is_string()) return std::string(value.get_string());
    if (const auto* object = value.if_object())
        for (const char* name : {"content", "text"})
            if (const auto* found = object->if_contains(name); found != nullptr && found->is_string())
                return std::string(found->get_string());
    return boost::json::serialize(value);
}

std::vector<std::string> texts_of(const boost::json::array& list) {
    std::vector<std::string> texts;
    for (const boost::json::value& each : list) texts.push_back(text_of(each));
    return texts;
}

std::optional<boost::json::value> parsed(std::string_view text) {
    const auto json = parse_json(text);  // with all the limits that requests have
    if (!json) return std::nullopt;
    return boost::json::parse(json->text);
}

}  // namespace

void check(const PipelineCreate& request, Problems& problems) {
    check_integration(request.integration_type, problems);
    check_name(request.name, problems);
}

void check(const PipelineUpdate& request, Problems& problems) {
    if (request.name.has_value()) check_name(*request.name, problems);
}

void check(const PipelinePreview& request, Problems& problems) {
    check_integration(request.integration_type, problems);
}

void demand_config(const ProducerConfig& config, const std::string& integration_type) {
    const auto data = parsed(config.data.text);
    const auto* object = data ? data->if_object() : nullptr;
    if (object == nullptr) throw bad_config("data must be an object");
    if (config.type == "custom_webhook") {
        if (integration_type != "custom_webhook") throw bad_config("this type is that of custom_webhook alone");
        const auto* url = object->if_contains("url");
        if (url != nullptr && !url->is_string()) throw bad_config("data.url must be a text");
        return;
    }
    if (config.type != "slack_channel_reader")
        throw bad_config("type must be one of: slack_channel_reader, custom_webhook");
    if (integration_type != "slack") throw bad_config("this type is that of slack alone");
    const auto* channels = object->if_contains("channels");
    const auto* list = channels != nullptr ? channels->if_array() : nullptr;
    if (list == nullptr || list->empty() || list->size() > channels_max)
        throw bad_config("data.channels must hold 1 to 100 channels");
    for (const boost::json::value& channel : *list) {
        const auto* id = channel.is_object() ? channel.get_object().if_contains("channel_id") : nullptr;
        if (id == nullptr || !id->is_string()) throw bad_config("data.channels: a channel needs its channel_id");
    }
}

std::string source_url(const ProducerConfig& config) {
    if (config.type != "custom_webhook") return {};
    return json_member_text(config.data.text, "url").value_or("");
}

std::optional<std::vector<std::string>> source_texts(const std::string& body) {
    if (const auto whole = parsed(body)) {
        if (const auto* list = whole->if_array()) return texts_of(*list);
        const auto* object = whole->if_object();
        const auto* messages = object != nullptr ? object->if_contains("messages") : nullptr;
        if (messages != nullptr && messages->is_array()) return texts_of(messages->get_array());
        return std::vector<std::string>{text_of(*whole)};
    }
    std::vector<std::string> texts;
    for (std::size_t begin = 0; begin < body.size();) {
        const std::size_t end = std::min(body.find('\n', begin), body.size());
        std::string_view line = std::string_view(body).substr(begin, end - begin);
        begin = end + 1;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        const auto value = parsed(line);
        if (!value) return std::nullopt;
        texts.push_back(text_of(*value));
    }
    return texts;
}

STELE_JSON(ProducerConfig)
STELE_JSON_READ(PipelineCreate)
STELE_JSON_WRITTEN(PipelineAnswer)
STELE_JSON_WRITTEN(PipelineList)
STELE_JSON_READ(PipelineUpdate)
STELE_JSON_READ(PipelineConfig)
STELE_JSON_READ(PipelinePreview)
STELE_JSON_WRITTEN(PipelineSample)
STELE_JSON_WRITTEN(PipelineSynced)
STELE_JSON_WRITTEN(PipelineSyncHistory)

}  // namespace stele
