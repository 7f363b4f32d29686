#include "domain/hosted_error.hpp"

namespace stele {

Error hosted_error(ErrorCode code, const std::string& text, const std::string& error_code) {
    Error error(code, text);
    error.members.emplace_back("message", text);
    if (!error_code.empty()) error.members.emplace_back("errorCode", error_code);
    return error;
}

}  // namespace stele
