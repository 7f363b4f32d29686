#include "domain/file_name.hpp"

#include "base/utf8.hpp"

namespace stele {
namespace {

constexpr std::size_t name_bytes_max = 255, extension_bytes_max = 32;
constexpr std::string_view forbidden = "<>:\"|?*/\\";

std::size_t dot_of(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos || dot == 0 ? name.size() : dot;
}

}  // namespace

std::string clean_file_name(std::string_view sent) {
    std::string valid = to_valid_utf8(sent);
    const std::size_t slash = valid.find_last_of("/\\");
    std::string name;
    for (const char c : slash == std::string::npos ? valid : valid.substr(slash + 1)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f && forbidden.find(c) == std::string_view::npos) name += c;
    }
    name.erase(0, std::min(name.find_first_not_of(". "), name.size()));
    name.erase(name.find_last_not_of(' ') + 1);
    if (name.size() <= name_bytes_max) return name;
    std::string extension = name.substr(dot_of(name));
    if (extension.size() > extension_bytes_max) extension.clear();
    return std::string(first_bytes(name, name_bytes_max - extension.size())) + extension;
}

std::string numbered_file_name(std::string_view name, std::size_t number) {
    if (number == 0) return std::string(name);
    const std::size_t dot = dot_of(name);
    return std::string(name.substr(0, dot)) + "_(" + std::to_string(number) + ")" + std::string(name.substr(dot));
}

}  // namespace stele
