#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele {

/// How the text of a file is cut into what agents see, count and search.
enum class FileKind : std::uint8_t {
    lines,          ///< plain text: by line
    documentation,  ///< Markdown: by sentence
    data,           ///< JSON, CSV, configuration: by line
    code,           ///< by line, with its indentation
};

/// A type of file that folders take.
struct FileType {
    std::string mime;
    FileKind kind = FileKind::lines;
    bool is_pdf = false;  ///< its text has to be extracted first
};

/// The type of a file that was sent as `content_type` (parameters are ignored) under the name `name`; where that is no
/// type that folders take, the type that its extension stands for. Nothing: folders don't take it.
std::optional<FileType> file_type_of(std::string_view content_type, std::string_view name);

/// The file's extension, lower case, with its dot; of "Dockerfile" the whole name. Empty: there is none.
std::string extension_of(std::string_view name);

/// Words for a refusal.
inline constexpr char supported_file_types[] =
    "PDF, text (.txt, .md), data and configuration (.json, .jsonl, .csv, .xml, .yaml, .toml, .ini, .css, ...) and code "
    "(.py, .js, .ts, .java, .cpp, .go, .rs, .sql, .html, ...)";

}  // namespace stele
