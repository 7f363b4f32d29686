#pragma once

#include "domain/json_parse.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

namespace stele {

/// What a boost::json::basic_parser tells, as a value: builds it as the library's own parser would, and refuses what
/// that lets pass: repeated keys, numbers beyond 64 bits. Heavy: included by few .cpp files of domain/.
class JsonBuilder {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);
    using Failure = boost::json::error_code;
    using Text = boost::json::string_view;

    static boost::json::parse_options options() {
        boost::json::parse_options made;
        made.max_depth = 64;
        return made;
    }

    bool on_document_begin(Failure&) { return true; }
    bool on_document_end(Failure&) { return true; }
    bool on_object_begin(Failure&) { return true; }
    bool on_object_end(std::size_t count, Failure& ec);
    bool on_array_begin(Failure&) { return true; }
    bool on_array_end(std::size_t count, Failure&) {
        stack.push_array(count);
        return true;
    }
    bool on_key_part(Text part, std::size_t, Failure&) {
        key_.append(part);
        stack.push_chars(part);
        return true;
    }
    bool on_key(Text part, std::size_t, Failure&) {
        key_.append(part);
        keys_.push_back(std::move(key_));
        key_.clear();
        stack.push_key(part);
        return true;
    }
    bool on_string_part(Text part, std::size_t, Failure&) {
        stack.push_chars(part);
        return true;
    }
    bool on_string(Text part, std::size_t, Failure&) {
        stack.push_string(part);
        return true;
    }
    bool on_number_part(Text part, Failure&) {
        number_.append(part);
        return true;
    }
    bool on_int64(std::int64_t number, Text, Failure&) {
        number_.clear();
        stack.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, Text, Failure&) {
        number_.clear();
        stack.push_uint64(number);
        return true;
    }
    bool on_double(double number, Text part, Failure& ec);
    bool on_bool(bool flag, Failure&) {
        stack.push_bool(flag);
        return true;
    }
    bool on_null(Failure&) {
        stack.push_null();
        return true;
    }
    bool on_comment_part(Text, Failure&) { return true; }
    bool on_comment(Text, Failure&) { return true; }

    /// Why the parser stopped with `ec`. `read`: the text up to there, or its last bytes.
    void explain(Failure ec, std::string_view read, JsonParse& into) const;

    boost::json::value_stack stack;

private:
    enum class Refusal : std::uint8_t { none, duplicate_key, number_range };

    bool refuse(Refusal why, Failure& ec);

    Refusal refusal_ = Refusal::none;
    std::string repeated_;
    std::string key_;
    std::string number_;
    std::vector<std::string> keys_;  ///< of the open objects
};

}  // namespace stele
