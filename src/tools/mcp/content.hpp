#pragma once

#include "domain/content.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace stele::tools::mcp {

/// What a call of a tool came to, for the model.
struct CallResult {
    bool ok = false;
    bool answered = false;             ///< by the tool itself, well or badly; else it was not reached, or refused
    std::string text;                  ///< all of it, with notes in the place of what is no text
    std::vector<ContentPart> parts{};  ///< where there are images: these and the texts, in order; else none
};

/// The result of tools/call as text: texts as they are, joined by a space, or by a line feed where something else
/// stands beside them; a resource's text; a short note for pictures, sound and bytes, and for links their name and
/// address. Without any text: the structured content. Images that a model can be shown (image_content.hpp), the first
/// 20 of them, come as parts too; notes of the others say why they don't. Fails (ok false) what the server calls an
/// error, what asks for input that nobody can give, and what is no result at all. Never longer than a bound; U+0000 is
/// dropped.
CallResult call_result(const boost::json::value& result);

}  // namespace stele::tools::mcp
