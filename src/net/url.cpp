#include "net/url.hpp"

#include <boost/system/errc.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <string>

namespace stele::net {

boost::system::result<Url> parse_url(std::string_view text) {
    const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (!parsed) return parsed.error();
    const boost::urls::url_view view = *parsed;
    const bool secure = view.scheme_id() == boost::urls::scheme::https;
    if ((!secure && view.scheme_id() != boost::urls::scheme::http) || view.host().empty() || view.has_userinfo())
        return boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
    const bool default_port = !view.has_port() || view.port().empty();
    const std::string_view port(view.port().data(), view.port().size());
    const bool sensible = port.size() <= 5 && std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!default_port && (!sensible || std::stoi(std::string(port)) == 0 || std::stoi(std::string(port)) > 65'535))
        return boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
    Url url;
    url.scheme = secure ? "https" : "http";
    url.host = view.host_address();
    url.port = default_port ? (secure ? "443" : "80") : std::string(view.port());
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
