#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

/// Structured log: a line is an event with fields, said once, at the place that knows how it ended.
/// Ids always, contents and secrets never. Thread-safe.
namespace stele::log {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class Format : std::uint8_t { text, json };

struct Field {
    template <std::integral I>
    Field(std::string_view key, I number) : name(key), value(static_cast<std::int64_t>(number)) {}
    Field(std::string_view key, bool flag) : name(key), value(flag) {}
    Field(std::string_view key, double number) : name(key), value(number) {}
    Field(std::string_view key, std::string_view text) : name(key), value(text) {}
    Field(std::string_view key, const char* text) : name(key), value(std::string_view(text)) {}
    Field(std::string_view key, const std::string& text) : name(key), value(std::string_view(text)) {}

    std::string_view name;
    std::variant<std::int64_t, bool, double, std::string_view> value;
};

using Fields = std::initializer_list<Field>;

/// Sets level and form of all further lines, which go to standard error. Call once, before threads start.
void configure(Level level, Format format);

/// True if a line of this level would be written: guards work that only the log needs.
bool enabled(Level level);

void debug(std::string_view event, Fields fields = {});
void info(std::string_view event, Fields fields = {});
void warn(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});

}  // namespace stele::log
