#include "base/log.hpp"

#include "base/json_text.hpp"
#include "base/time.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace stele::log {
namespace {

struct State {
    std::shared_ptr<spdlog::logger> logger = [] {
        auto made = std::make_shared<spdlog::logger>("stele", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%v");
        made->set_level(spdlog::level::info);
        made->flush_on(spdlog::level::info);
        return made;
    }();
    Format format = Format::text;
};

// The one process-wide object: a log line may come from any room, thread or destructor.
State& state() {
    static State instance;
    return instance;
}

constexpr spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::off;
}

constexpr std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warn:
            return "warn";
        case Level::error:
            return "error";
    }
    return "?";
}

void append_value(std::string& line, const Field& field, bool quoted) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        if (quoted || text->find_first_of(" \"\n\r\t=") != std::string_view::npos)
            append_json_string(line, *text);
        else
            line += *text;
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
        line += std::to_string(*number);
    } else if (const auto* flag = std::get_if<bool>(&field.value)) {
        line += *flag ? "true" : "false";
    } else {
        line += fmt::format("{:.3f}", std::get<double>(field.value));
    }
}

void write(Level level, std::string_view event, Fields fields) {
    if (!enabled(level)) return;
    std::string line;
    line.reserve(256);
    if (state().format == Format::json) {
        line += "{\"ts\":\"" + to_iso8601(now()) + "\",\"level\":\"";
        line += name_of(level);
        line += "\",\"event\":";
        append_json_string(line, event);
        for (const Field& field : fields) {
            line += ',';
            append_json_string(line, field.name);
            line += ':';
            append_value(line, field, true);
        }
        line += '}';
    } else {
        line += to_iso8601(now());
        line += ' ';
        line += name_of(level);
        line += ' ';
        line += event;
        for (const Field& field : fields) {
            line += ' ';
            line += field.name;
            line += '=';
            append_value(line, field, false);
        }
    }
    state().logger->log(to_spdlog(level), "{}", line);
}

}  // namespace

void configure(Level level, Format format) {
    state().logger->set_level(to_spdlog(level));
    state().format = format;
}

bool enabled(Level level) { return state().logger->should_log(to_spdlog(level)); }

void debug(std::string_view event, Fields fields) { write(Level::debug, event, fields); }
void info(std::string_view event, Fields fields) { write(Level::info, event, fields); }
void warn(std::string_view event, Fields fields) { write(Level::warn, event, fields); }
void error(std::string_view event, Fields fields) { write(Level::error, event, fields); }

}  // namespace stele::log
