#include "net/url.hpp"

#include <boost/system/errc.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <string>

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

}  // namespace

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
