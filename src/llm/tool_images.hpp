#pragma once

namespace stele::llm {

/// The text of the user turn that shows images which tools returned: protocols have no place for them in the returns
/// themselves.
inline constexpr char tool_images_text[] =
    "[This is an automatic message that the person does not see] The images that the tools returned:";

}  // namespace stele::llm
