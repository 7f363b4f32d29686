#include "net/url.hpp"

#include <boost/system/errc.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace stele::net {
namespace {

bool is_port(std::string_view text) {
    if (text.size() > 5 || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return false;
    const int number = std::stoi(std::string(text));
    return number > 0 && number <= 65'535;
}

// "http://[::1]:80/x" -> "80"
std::string_view port_in(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    const std::size_t bracket = url.rfind(']');
    const std::size_t colon = url.find(':', bracket == std::string_view::npos ? 0 : bracket);
    return colon == std::string_view::npos ? std::string_view() : url.substr(colon + 1);
}

std::string_view view(boost::core::string_view text) { return {text.data(), text.size()}; }

// RFC 3986, 5.2.4.
std::string without_dots(std::string_view path) {
    std::vector<std::string_view> kept;
    bool ends_in_folder = false;
    for (std::size_t begin = path.starts_with('/') ? 1 : 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view segment = path.substr(begin, end - begin);
        ends_in_folder = segment == "." || segment == "..";
        if (segment == ".." && !kept.empty()) kept.pop_back();
        if (!ends_in_folder) kept.push_back(segment);
        begin = end + 1;
    }
    std::string made;
    for (const std::string_view segment : kept) made.append("/").append(segment);
    if (ends_in_folder) made += '/';
    return path.starts_with('/') || made.empty() ? made : made.substr(1);
}

// As browsers do it, which take what people write.
std::string encoded(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\f";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == text.npos) return {};
    text = text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
    const auto is_hex = [&](std::size_t at) {
        return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at]));
    };
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '\t' || c == '\r' || c == '\n') continue;
        const bool stray = c == '%' && !(is_hex(i + 1) && is_hex(i + 2));
        // Brackets belong around an IPv6 address alone.
        const bool bracket = (c == '[' && !made.ends_with("//")) || (c == ']' && made.find('[') == made.npos) ||
                             (c == ']' && made.find(']') != made.npos);
        if (c <= ' ' || c >= 0x7f || stray || bracket ||
            std::string_view("\"<>\\^`{|}").find(text[i]) != std::string_view::npos) {
            made += '%';
            made += "0123456789ABCDEF"[c >> 4];
            made += "0123456789ABCDEF"[c & 15];
        } else {
            made += text[i];
        }
    }
    return made;
}

}  // namespace

// Not boost::urls::resolve: in 1.81 it decodes what it resolves, so that "a%2fb" becomes "a/b".
std::string resolve_reference(std::string_view base, std::string_view reference) {
    const std::string from = encoded(base), to = encoded(reference);
    const auto base_url = boost::urls::parse_uri(from);
    const auto given = boost::urls::parse_uri_reference(to);
    if (!base_url || !given) return {};
    if (given->has_scheme()) return to;
    const std::string_view path = view(given->encoded_path()), base_path = view(base_url->encoded_path());
    const auto& authority = given->has_authority() ? *given : boost::urls::url_view(*base_url);
    std::string made = std::string(view(base_url->scheme())) + ":";
    if (authority.has_authority()) made += "//" + std::string(view(authority.encoded_authority()));
    if (given->has_authority() || path.starts_with('/'))
        made += without_dots(path);
    else if (path.empty())
        made += base_path;
    else if (base_path.empty())
        made += without_dots("/" + std::string(path));
    else
        made += without_dots(std::string(base_path.substr(0, base_path.rfind('/') + 1)) + std::string(path));
    const auto& query =
        path.empty() && !given->has_authority() && !given->has_query() ? boost::urls::url_view(*base_url) : *given;
    if (query.has_query()) made += '?' + std::string(view(query.encoded_query()));
    if (given->has_fragment()) made += '#' + std::string(view(given->encoded_fragment()));
    return made;
}

boost::system::result<Url> parse_url(std::string_view text) {
    const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (!parsed) return parsed.error();
    const boost::urls::url_view view = *parsed;
    const bool secure = view.scheme_id() == boost::urls::scheme::https;
    if ((!secure && view.scheme_id() != boost::urls::scheme::http) || view.host().empty() || view.has_userinfo())
        return boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
    // Boost.URL gives no port for one that is no number: so what stands behind the name is looked at itself.
    const std::string_view port = port_in(text);
    const bool default_port = port.empty();
    if (!default_port && !is_port(port))
        return boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
    Url url;
    url.scheme = secure ? "https" : "http";
    url.host = view.host_address();
    url.port = default_port ? (secure ? "443" : "80") : std::string(port);
    const auto path = view.encoded_path();
    url.target = path.empty() ? "/" : std::string(path.data(), path.size());
    if (view.has_query()) {
        const auto query = view.encoded_query();
        url.target += '?' + std::string(query.data(), query.size());
    }
    const auto authority = view.encoded_host_and_port();
    url.authority.assign(authority.data(), authority.size());
    return url;
}

}  // namespace stele::net
