#pragma once

#include "base/error.hpp"
#include "base/time.hpp"

#include <boost/json/fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele {

struct Schema;

/// Any JSON value, kept as its text (compact, valid UTF-8, keys in the order they came).
struct Json {
    std::string text = "null";

    bool is_null() const { return text == "null"; }
    bool operator==(const Json&) const = default;
};

/// A JSON object of texts, in order of arrival.
using TextMap = std::vector<std::pair<std::string, std::string>>;

/// A field with three states: absent, null, or a value. In a request: absent leaves, null clears, a value sets.
/// In an answer an absent field is not written at all.
template <class T>
class Patch {
public:
    Patch() = default;
    Patch(T value) : value_(std::move(value)), present_(true) {}
    Patch(std::nullopt_t) : present_(true) {}

    bool present() const { return present_; }
    bool null() const { return present_ && !value_; }
    bool has_value() const { return value_.has_value(); }
    const T& operator*() const { return *value_; }
    T& operator*() { return *value_; }
    const T* operator->() const { return &*value_; }
    const std::optional<T>& optional() const { return value_; }
    T value_or(T other) const { return value_ ? *value_ : std::move(other); }

    /// Sets `target` if a value came; null and absent leave it. True if `target` changed.
    bool set_into(T& target) const {
        if (!value_ || target == *value_) return false;
        target = *value_;
        return true;
    }

    /// Sets or clears `target` if the field came at all. True if `target` changed.
    bool set_into(std::optional<T>& target) const {
        if (!present_ || target == value_) return false;
        target = value_;
        return true;
    }

    bool operator==(const Patch&) const = default;

private:
    std::optional<T> value_;
    bool present_ = false;
};

/// Collects every violation of one request, so that its author hears of all at once.
class Problems {
public:
    /// `where`: the field below the current place, e.g. "limit"; may be empty for the place itself. The first violation
    /// of a place stands, later ones are dropped.
    void add(std::string_view where, std::string problem, std::string type = "value_error",
             std::string input_json = {});

    /// Enters and leaves a member or element: names become "body.memory_blocks.0.label".
    void enter(std::string_view name) { path_.emplace_back(name); }
    void leave() { path_.pop_back(); }

    bool empty() const { return fields_.empty(); }

    bool takes_nul = false;  ///< texts may hold U+0000: what is stored already, and texts that lose it later

    /// Throws Error{invalid_argument} with everything collected, if anything was.
    void throw_if_any() const;

    explicit Problems(std::string root) { path_.push_back(std::move(root)); }

private:
    std::vector<std::string> path_;
    std::vector<Error::Field> fields_;
};

/// The struct that `text` (a JSON object) describes. Unknown members are ignored, absent ones keep the default of the
/// struct, null for a member with a default counts as absent. After that the struct's own rule
/// `void check(const T&, Problems&)`, if it has one, is asked.
/// Throws Error{invalid_argument} naming every bad member as "body.<member>"; for text that is no JSON, is not UTF-8,
/// nests deeper than 64, repeats a key or holds a number beyond 64 bits too.
template <class T>
T decode(std::string_view text);

/// As decode, for text that Stele wrote itself: a failure is Error{internal}.
template <class T>
T decode_stored(std::string_view text);

/// Appends `value` as compact JSON, members in the order of their description.
template <class T>
void encode(const T& value, std::string& out);

template <class T>
std::string to_json(const T& value) {
    std::string out;
    encode(value, out);
    return out;
}

/// A JSON array of what `values` hold.
template <class T>
std::string to_json_array(const std::vector<T>& values) {
    std::string out = "[";
    for (const T& value : values) {
        if (out.size() > 1) out += ',';
        encode(value, out);
    }
    return out + "]";
}

/// `text` in compact form if it is JSON as decode takes it, else nothing.
std::optional<Json> parse_json(std::string_view text);

/// The text of a member of a JSON object: strings unquoted, everything else as JSON text. Nothing if absent.
std::optional<std::string> json_member_text(std::string_view object, std::string_view member);

}  // namespace stele
