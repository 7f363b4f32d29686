#pragma once

#include "net/client.hpp"

namespace stele::tools::web {

/// What stands at an address, behind all redirects.
struct FetchedPage {
    std::string url;      ///< where it was in the end
    std::string type;     ///< of its content, in lower case and without parameters; empty if it was not said
    std::string charset;  ///< as declared beside the type; may be empty
    std::string body;     ///< at most 5 MiB
};

/// Fetches `url`, which a model has named. `client` is one that goes to public addresses alone; each redirect is a new
/// request of it. Nothing is sent along that says who asks. Throws ToolFailure, for the model, for an address that is
/// none or must not be reached, an answer that is no success, no text, too large, or that takes more than 30 s in all.
boost::asio::awaitable<FetchedPage> fetch_page(net::HttpClient& client, std::string url);

/// A page as text for a model: HTML as Markdown, other text as it is. Pure.
std::string readable(const FetchedPage& page);

}  // namespace stele::tools::web
