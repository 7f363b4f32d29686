#include "tools/mcp/oauth_request.hpp"

#include "base/base64.hpp"
#include "base/error.hpp"
#include "base/utf8.hpp"
#include "net/http.hpp"
#include "tools/mcp/rpc.hpp"

#include <sodium.h>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

constexpr std::size_t token_bytes_max = 64u << 10;
constexpr std::size_t words_max = 300;
constexpr std::int64_t seconds_max = 100'000'000'000;  // of a span or since 1970
constexpr char basic[] = "client_secret_basic", post[] = "client_secret_post";

std::string to_base64url(const unsigned char* bytes, std::size_t count) {
    std::string text(sodium_base64_encoded_len(count, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes, count, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    text.pop_back();  // its zero
    return text;
}

std::string percent_encoded(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string made;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            made += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        made += '%';
        made += digits[byte >> 4];
        made += digits[byte & 15];
    }
    return made;
}

// Texts that go into headers or requests again.
std::string token_in(const json::value& answer, std::string_view name) {
    std::string text = text_member(answer, name);
    const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
    if (!plain || text.size() > token_bytes_max)
        throw Error(ErrorCode::unavailable, "The authorization server's " + std::string(name) + " is none");
    return text;
}

std::int64_t seconds_in(const json::value& answer, std::string_view name) {
    const json::value& found = member(answer, name);
    double seconds = 0;
    if (found.is_int64()) seconds = static_cast<double>(found.get_int64());
    if (found.is_double()) seconds = found.get_double();
    if (found.is_string()) seconds = std::atof(std::string(found.get_string()).c_str());  // some write it as a text
    return static_cast<std::int64_t>(std::clamp(seconds, 0.0, static_cast<double>(seconds_max)));
}

bool knows(const IssuerMetadata& issuer, std::string_view method) {
    return std::find(issuer.auth_methods.begin(), issuer.auth_methods.end(), method) != issuer.auth_methods.end();
}

TokenRequest token_request(const McpTokens& tokens, TextMap pairs) {
    TokenRequest request;
    const McpOauthClient& client = tokens.client;
    if (client.auth_method == basic) {  // RFC 6749, 2.3.1: both are encoded before they are joined
        request.authorization =
            "Basic " + to_base64(percent_encoded(client.client_id) + ":" + percent_encoded(client.client_secret));
    } else {
        pairs.emplace_back("client_id", client.client_id);
        if (client.auth_method == post) pairs.emplace_back("client_secret", client.client_secret);
    }
    pairs.emplace_back("resource", tokens.resource);
    request.form = form_of(pairs);
    return request;
}

bool leads_to_this_machine(std::string_view uri) {
    for (const std::string_view begin : {"http://127.0.0.1", "http://localhost", "http://[::1]"})
        if (uri.starts_with(begin)) return true;
    return false;
}

}  // namespace

std::string random_url_text(std::size_t bytes) {
    std::string random(bytes, '\0');
    randombytes_buf(random.data(), random.size());
    return to_base64url(reinterpret_cast<const unsigned char*>(random.data()), random.size());
}

std::string challenge_of_verifier(std::string_view verifier) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size());
    return to_base64url(hash, sizeof hash);
}

std::string form_of(const TextMap& pairs) {
    std::string form;
    for (const auto& [name, value] : pairs) {
        if (value.empty()) continue;
        if (!form.empty()) form += '&';
        form += percent_encoded(name) + "=" + percent_encoded(value);
    }
    return form;
}

std::string authorization_url(const std::string& endpoint, const McpLogin& login, const std::string& state) {
    const TextMap pairs{{"response_type", "code"},
                        {"client_id", login.tokens.client.client_id},
                        {"redirect_uri", login.redirect_uri},
                        {"state", state},
                        {"code_challenge", challenge_of_verifier(login.verifier)},
                        {"code_challenge_method", "S256"},
                        {"scope", login.tokens.scope},
                        {"resource", login.tokens.resource}};
    const std::string page = endpoint.substr(0, endpoint.find('#'));
    return page + (page.find('?') == std::string::npos ? "?" : "&") + form_of(pairs);
}

json::object registration_of(const IssuerMetadata& issuer, const std::string& redirect_uri) {
    std::string method = "none";
    if (!issuer.auth_methods.empty() && !knows(issuer, "none")) method = knows(issuer, basic) ? basic : post;
    return {{"client_name", "Stele"},
            {"redirect_uris", json::array{redirect_uri}},
            {"grant_types", json::array{"authorization_code", "refresh_token"}},
            {"response_types", json::array{"code"}},
            {"token_endpoint_auth_method", method},
            {"application_type", leads_to_this_machine(redirect_uri) ? "native" : "web"}};
}

McpOauthClient registered_client(const json::value& answer) {
    McpOauthClient client;
    client.client_id = token_in(answer, "client_id");
    client.client_secret = token_in(answer, "client_secret");
    if (client.client_id.empty())
        throw Error(ErrorCode::unavailable, "The authorization server registered Stele without giving it an id");
    if (!client.client_secret.empty()) {
        const std::string method = text_member(answer, "token_endpoint_auth_method");
        client.auth_method = method == post || method == "none" ? method : basic;
        client.expires_at = seconds_in(answer, "client_secret_expires_at");
    }
    return client;
}

McpOauthClient configured_client(const McpOauthConfig& config, const IssuerMetadata& issuer) {
    McpOauthClient client;
    client.client_id = config.client_id.value_or("");
    client.client_secret = config.client_secret.value_or("");
    const bool by_form = knows(issuer, post) && !knows(issuer, basic);
    if (!client.client_secret.empty()) client.auth_method = by_form ? post : basic;
    return client;
}

TokenRequest code_request(const McpLogin& login, const std::string& code) {
    return token_request(login.tokens, {{"grant_type", "authorization_code"},
                                        {"code", code},
                                        {"redirect_uri", login.redirect_uri},
                                        {"code_verifier", login.verifier}});
}

TokenRequest refresh_request(const McpTokens& tokens) {
    return token_request(tokens, {{"grant_type", "refresh_token"}, {"refresh_token", tokens.refresh_token}});
}

TokenRequest revocation_request(const McpTokens& tokens, const std::string& kind) {
    McpTokens unnamed = tokens;
    unnamed.resource.clear();  // no word of this request
    return token_request(unnamed, {{"token", kind == "refresh_token" ? tokens.refresh_token : tokens.access_token},
                                   {"token_type_hint", kind}});
}

void take_tokens(McpTokens& tokens, const json::value& answer, std::int64_t at) {
    const std::string type = text_member(answer, "token_type");
    std::string access = token_in(answer, "access_token");
    if (access.empty() || !(type.empty() || net::same_name(type, "Bearer")))
        throw Error(ErrorCode::unavailable, "The authorization server gave no bearer token");
    tokens.access_token = std::move(access);
    if (std::string refresh = token_in(answer, "refresh_token"); !refresh.empty())
        tokens.refresh_token = std::move(refresh);
    if (std::string scope = token_in(answer, "scope"); !scope.empty()) tokens.scope = std::move(scope);
    const std::int64_t lifetime = seconds_in(answer, "expires_in");
    tokens.expires_at = lifetime > 0 ? at + lifetime : 0;
}

std::string plain_words(std::string_view text) {
    std::string words = to_valid_utf8(std::string(text.substr(0, 4 * words_max)));
    for (char& c : words)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    words.resize(first_code_points(words, words_max).size());
    return words;
}

}  // namespace stele::tools::mcp
