#pragma once

#include "tools/working_memory.hpp"

#include <string>

namespace stele::tools {

/// What a call tells the model when it fails; "no failure" if it does not.
template <class F>
std::string failure_of(F call) {
    try {
        call();
    } catch (const ToolFailure& failure) {
        return failure.what();
    }
    return "no failure";
}

}  // namespace stele::tools
