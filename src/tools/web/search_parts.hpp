#pragma once

#include "tools/web/search.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

// Inside web/ alone: what the services' files share.
namespace stele::tools::web {

/// The object in `body`, or nothing.
std::optional<boost::json::object> read_object(std::string_view body);

/// A text member without white space around it; nothing if it is absent, empty or no text.
std::optional<std::string> text_at(const boost::json::object& object, std::string_view name);

/// A list member; empty if it is absent or no list.
const boost::json::array& list_at(const boost::json::object& object, std::string_view name);

/// The results in a service's list: title, url, date and author of each by the service's names, and what `add` takes
/// besides. Those without an address are left out.
std::vector<SearchResult> results_of(const boost::json::array& list, std::string_view date_name,
                                     std::string_view author_name,
                                     void (*add)(const boost::json::object& object, SearchResult& result));

net::ClientRequest get_request(const SearchAccess& access, std::string_view path,
                               const std::vector<std::pair<std::string, std::string>>& parameters);
net::ClientRequest post_request(const SearchAccess& access, std::string_view path, const boost::json::object& body);

/// The words of a query with what the category and domains come to in words: operators that Brave and the engines
/// behind SearXNG understand.
std::string worded(const SearchQuery& query);

}  // namespace stele::tools::web
