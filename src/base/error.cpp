#include "base/error.hpp"

#include "base/log.hpp"

namespace stele {

Error not_found(const std::string& kind, const std::string& id) {
    return Error(ErrorCode::not_found, kind + " not found: " + id);
}

Error invalid_field(const std::string& where, const std::string& problem) {
    Error error(ErrorCode::invalid_argument, where + ": " + problem);
    error.fields.push_back({where, problem, "value_error", {}});
    return error;
}

Error refused(const std::string& message) { return Error(ErrorCode::invalid_argument, message); }

Error changed_meanwhile(const std::string& kind, const std::string& id) {
    Error error(ErrorCode::conflict, kind + " " + id + " was changed by another request meanwhile; read it again");
    error.type = changed_meanwhile_type;
    return error;
}

void assertion_failed(const char* condition, const char* file, int line) {
    log::error("assertion.failed", {{"condition", condition}, {"file", file}, {"line", line}});
    throw Error(ErrorCode::internal, "An unknown error occurred");
}

}  // namespace stele
