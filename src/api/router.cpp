#include "api/router.hpp"

#include "base/utf8.hpp"

namespace stele::api {
namespace {

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        if (end > 0) segments.push_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return segments;
}

}  // namespace

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::string_view parameter_name;
    std::unique_ptr<Node> rest;  ///< takes all remaining segments
    std::string_view rest_name;
    std::vector<const Route*> routes;
};

Router::Router(std::span<const Route> routes) : root_(std::make_unique<Node>()) {
    for (const Route& route : routes) {
        Node* node = root_.get();
        for (std::string_view segment : split(route.path)) {
            std::unique_ptr<Node>* next = nullptr;
            if (segment.ends_with("...}")) {
                node->rest_name = segment.substr(1, segment.size() - 5);
                next = &node->rest;
            } else if (segment.front() == '{') {
                node->parameter_name = segment.substr(1, segment.size() - 2);
                next = &node->parameter;
            } else {
                next = &node->literals[std::string(segment)];
            }
            if (!*next) *next = std::make_unique<Node>();
            node = next->get();
        }
        node->routes.push_back(&route);
    }
}

Router::~Router() = default;

std::vector<std::pair<std::string_view, std::string>> Router::named(
    std::vector<std::pair<std::string_view, std::string>> values, const Route& route) {
    auto value = values.begin();
    for (std::string_view segment : split(route.path)) {
        if (segment.front() != '{') continue;
        segment.remove_suffix(segment.ends_with("...}") ? 4 : 1);
        STELE_ASSERT(value != values.end());
        (value++)->first = segment.substr(1);
    }
    return values;
}

Router::Match Router::find(std::string_view path) const {
    std::vector<std::string> segments;
    for (const std::string_view raw : split(path)) {
        auto segment = net::percent_decode(raw, false);
        if (!segment || !is_utf8(*segment) || segment->find('\0') != std::string::npos)
            throw Error(ErrorCode::invalid_argument, "Invalid UTF-8 or escape in the path");
        segments.push_back(std::move(*segment));
    }
    Match match;
    if (walk(*root_, segments, 0, match)) return match;  // the few that stand outside /v1
    std::size_t begin = 0;
    while (begin < segments.size() && (segments[begin] == "v1" || segments[begin] == "latest")) ++begin;
    segments.erase(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(begin));
    segments.insert(segments.begin(), "v1");
    walk(*root_, segments, 0, match);
    return match;
}

bool Router::walk(const Node& node, const std::vector<std::string>& segments, std::size_t next, Match& match) const {
    if (next == segments.size()) {
        match.routes = node.routes;
        return !node.routes.empty();
    }
    const auto literal = node.literals.find(segments[next]);
    if (literal != node.literals.end() && walk(*literal->second, segments, next + 1, match)) return true;
    if (node.parameter) {
        match.values.emplace_back(node.parameter_name, segments[next]);
        if (walk(*node.parameter, segments, next + 1, match)) return true;
        match.values.pop_back();
    }
    if (!node.rest) return false;
    std::string rest;
    for (std::size_t i = next; i < segments.size(); ++i) rest += (i == next ? "" : "/") + segments[i];
    match.values.emplace_back(node.rest_name, std::move(rest));
    match.routes = node.rest->routes;
    return true;
}

}  // namespace stele::api
