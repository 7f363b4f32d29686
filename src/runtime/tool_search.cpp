#include "runtime/tool_search.hpp"

#include "llm/hash_embedding.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr double fusion_constant = 60;
constexpr std::size_t tools_between_yields = 32;
constexpr std::size_t text_bytes_max = 4'096;  // of what is looked at of one tool

// "sendEmail" and "send_email" are two words each; endings that say how many are left out.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words(1);
    bool lower_before = false;
    for (const char c : text.substr(0, text_bytes_max)) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool letter =
            upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) > 127;
        if ((!letter || (upper && lower_before)) && !words.back().empty()) words.emplace_back();
        if (letter) words.back() += static_cast<char>(upper ? c - 'A' + 'a' : c);
        lower_before = letter && !upper;
    }
    if (words.back().empty()) words.pop_back();
    for (std::string& word : words)
        if (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss")) word.pop_back();
    return words;
}

std::map<std::string, double> weighted_words(const Tool& tool) {
    constexpr double in_name = 3, in_tags = 2, in_description = 1;
    std::map<std::string, double> weights;
    const auto take = [&](std::string_view text, double weight) {
        for (const std::string& word : words_of(text)) weights[word] += weight;
    };
    take(tool.name, in_name);
    for (const std::string& tag : tool.tags) take(tag, in_tags);
    take(tool.description.value_or(""), in_description);
    return weights;
}

double similarity(const std::vector<float>& a, const std::vector<float>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Indices of what scores above nothing, best first; equals stay in their order.
std::vector<std::size_t> ranking(const std::vector<double>& scores) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (scores[i] > 0) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    return order;
}

awaitable<std::vector<double>> word_scores(const std::vector<Tool>& tools, const std::string& query) {
    const std::vector<std::string> asked = words_of(query);
    const std::set<std::string> wanted(asked.begin(), asked.end());
    std::vector<std::map<std::string, double>> words;
    std::map<std::string, std::size_t> holders;
    for (const Tool& tool : tools) {
        if (words.size() % tools_between_yields == 0) co_await boost::asio::post(boost::asio::use_awaitable);
        words.push_back(weighted_words(tool));
        for (const std::string& word : wanted)
            if (words.back().contains(word)) ++holders[word];
    }
    std::vector<double> scores;
    for (const auto& own : words) {
        double score = 0;
        for (const std::string& word : wanted) {
            const auto found = own.find(word);
            if (found == own.end()) continue;
            const double rarity = std::log(1 + static_cast<double>(tools.size()) / static_cast<double>(holders[word]));
            score += rarity * found->second / (found->second + 1);
        }
        scores.push_back(score);
    }
    co_return scores;
}

awaitable<std::vector<double>> vector_scores(const std::vector<Tool>& tools, const std::string& query) {
    const std::vector<float> wanted = llm::hash_embedding(query);
    std::vector<double> scores;
    for (const Tool& tool : tools) {
        if (scores.size() % tools_between_yields == 0) co_await boost::asio::post(boost::asio::use_awaitable);
        std::string text = tool.name + " " + tool.description.value_or("");
        std::replace(text.begin(), text.end(), '_', ' ');
        text.resize(std::min(text.size(), text_bytes_max));
        scores.push_back(similarity(llm::hash_embedding(text), wanted));
    }
    co_return scores;
}

}  // namespace

awaitable<std::vector<ToolSearchResult>> search_tools(std::vector<Tool> tools, ToolSearchRequest request) {
    const std::string query = request.query.value_or("");
    const auto limit = static_cast<std::size_t>(request.limit);
    std::vector<ToolSearchResult> results(tools.size());
    std::vector<std::size_t> order(tools.size());
    std::iota(order.begin(), order.end(), 0u);
    if (!words_of(query).empty()) {
        std::vector<std::size_t> by_words, by_vectors;
        if (request.search_mode != "vector") by_words = ranking(co_await word_scores(tools, query));
        if (request.search_mode != "fts") by_vectors = ranking(co_await vector_scores(tools, query));
        std::vector<double> scores(tools.size());
        const auto take = [&](const std::vector<std::size_t>& ranks,
                              std::optional<std::int64_t> ToolSearchResult::*rank) {
            for (std::size_t i = 0; i < ranks.size(); ++i) {
                results[ranks[i]].*rank = static_cast<std::int64_t>(i) + 1;
                scores[ranks[i]] += 1 / (fusion_constant + static_cast<double>(i) + 1);
            }
        };
        take(by_words, &ToolSearchResult::fts_rank);
        take(by_vectors, &ToolSearchResult::vector_rank);
        order = ranking(scores);
        for (const std::size_t i : order) results[i].combined_score = scores[i];
    }
    std::vector<ToolSearchResult> best;
    for (const std::size_t i : order) {
        if (best.size() == limit) break;
        results[i].tool = std::move(tools[i]);
        best.push_back(std::move(results[i]));
    }
    co_return best;
}

}  // namespace stele::runtime
