#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stele::runtime {

/// The arguments of a call as a model wrote them, taken apart.
struct CallArguments {
    std::string json;        ///< the object for the tool, without what the loop added to its schema
    std::string thinking;    ///< inner thoughts, when the schema asked for them
    bool heartbeat = false;  ///< request_heartbeat
};

/// Reads what a model wrote, leniently: an empty text is an empty object, of doubled objects ("{...}{...}") the first
/// counts. Nothing if it is no JSON object. `loop_parameters`: thinking and request_heartbeat are the loop's and are
/// taken out.
std::optional<CallArguments> read_call_arguments(std::string_view written, bool loop_parameters);

/// A call's arguments with those that a tool rule fills in: they win over what the model wrote. `problem`, for the
/// model, is not empty where the rule names an argument that `schema` (a tool's {"parameters": ...}) has not, or gives
/// it another type; `json` is then as the model wrote it.
struct FilledArguments {
    std::string json, problem;
};
FilledArguments with_prefilled(const std::string& json, const std::string& prefilled, const std::string& schema);

/// `json` (an object) with request_heartbeat as its last member.
std::string with_heartbeat(const std::string& json, bool heartbeat);

/// `json` (an object) with the inner thoughts as its first member, as the model had written it.
std::string with_thinking(const std::string& json, const std::string& thinking);

}  // namespace stele::runtime
