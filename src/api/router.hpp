#pragma once

#include "api/route.hpp"

#include <map>
#include <memory>

namespace stele::api {

/// Finds the operation for a path. The templates stand in a tree, one level a segment; where a literal and a parameter
/// both fit, the literal wins.
class Router {
public:
    explicit Router(std::span<const Route> routes);
    ~Router();

    struct Match {
        std::vector<const Route*> routes;  ///< of this path, one a method; empty: the path is unknown
        std::vector<std::pair<std::string_view, std::string>> values;
    };

    /// `path` as sent, without the query: every spelling of it is understood (with or without /v1, /latest, doubled
    /// /v1, repeated and trailing slashes); segments are split first and decoded then. Throws Error{invalid_argument}
    /// for a broken escape or text that is no UTF-8.
    Match find(std::string_view path) const;

    /// `values` under the names that `route` has for them: templates that share a beginning may name it differently.
    static std::vector<std::pair<std::string_view, std::string>> named(
        std::vector<std::pair<std::string_view, std::string>> values, const Route& route);

private:
    struct Node;

    bool walk(const Node& node, const std::vector<std::string>& segments, std::size_t next, Match& match) const;

    std::unique_ptr<Node> root_;
};

}  // namespace stele::api
