#include "domain/file_type.hpp"

#include <algorithm>

namespace stele {
namespace {

struct Row {
    std::string_view mime;        // that a file of these extensions is said to have
    std::string_view extensions;  // separated by blanks
    FileKind kind;
    std::string_view others = {};  // further names of the type
};

constexpr Row rows[] = {
    {"application/pdf", "pdf", FileKind::lines},
    {"text/plain", "txt", FileKind::lines},
    {"text/markdown", "md markdown", FileKind::documentation, "text/x-markdown"},
    {"application/json", "json", FileKind::data, "text/json"},
    {"application/jsonl", "jsonl", FileKind::data,
     "application/x-jsonlines application/x-ndjson application/ndjson application/json-lines"},
    {"text/csv", "csv", FileKind::data, "application/csv"},
    {"application/xml", "xml", FileKind::data, "text/xml"},
    {"text/x-yaml", "yaml yml", FileKind::data, "text/yaml application/yaml application/x-yaml"},
    {"application/toml", "toml", FileKind::data, "text/x-toml text/toml application/x-toml"},
    {"text/x-ini", "ini cfg", FileKind::data},
    {"text/x-conf", "conf", FileKind::data},
    {"text/css", "css", FileKind::data},
    {"text/x-scss", "scss", FileKind::data},
    {"text/x-sass", "sass", FileKind::data},
    {"text/x-less", "less", FileKind::data},
    {"text/x-python", "py", FileKind::code, "application/x-python text/x-script.python text/x-python-script"},
    {"text/javascript", "js", FileKind::code, "application/javascript application/x-javascript text/x-javascript"},
    {"text/x-typescript", "ts", FileKind::code, "application/typescript application/x-typescript text/typescript"},
    {"text/x-java-source", "java", FileKind::code, "text/x-java"},
    {"text/x-c++", "cpp cxx", FileKind::code, "text/x-c++src"},
    {"text/x-c", "c h", FileKind::code, "text/x-csrc text/x-chdr"},
    {"text/x-csharp", "cs", FileKind::code},
    {"text/x-php", "php", FileKind::code, "application/x-httpd-php application/x-php"},
    {"text/x-ruby", "rb", FileKind::code, "application/x-ruby"},
    {"text/x-go", "go", FileKind::code},
    {"text/x-rust", "rs", FileKind::code},
    {"text/x-swift", "swift", FileKind::code},
    {"text/x-kotlin", "kt", FileKind::code},
    {"text/x-scala", "scala", FileKind::code},
    {"text/x-r", "r", FileKind::code},
    {"text/x-objective-c", "m", FileKind::code},
    {"text/html", "html htm", FileKind::code},
    {"text/x-vue", "vue", FileKind::code},
    {"text/jsx", "jsx", FileKind::code, "text/x-jsx"},
    {"text/tsx", "tsx", FileKind::code, "text/x-tsx"},
    {"text/x-shellscript", "sh bash", FileKind::code, "application/x-sh application/x-shellscript text/x-sh"},
    {"text/x-powershell", "ps1", FileKind::code},
    {"text/x-batch", "bat cmd", FileKind::code},
    {"text/x-dockerfile", "dockerfile", FileKind::code},
    {"text/x-sql", "sql", FileKind::code, "application/sql text/sql"},
};

std::string lowered(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return made;
}

bool has_word(std::string_view words, std::string_view word) {
    for (std::size_t begin = 0; begin < words.size();) {
        const std::size_t end = std::min(words.find(' ', begin), words.size());
        if (words.substr(begin, end - begin) == word) return true;
        begin = end + 1;
    }
    return false;
}

FileType type_of(const Row& row, std::string mime) {
    FileType type;
    type.mime = std::move(mime);
    type.kind = row.kind;
    type.is_pdf = &row == &rows[0];
    return type;
}

}  // namespace

std::string extension_of(std::string_view name) {
    const std::string lower = lowered(name);
    if (lower == "dockerfile") return lower;
    const std::size_t dot = lower.rfind('.');
    return dot == std::string::npos || dot == 0 || dot + 1 == lower.size() ? std::string() : lower.substr(dot);
}

std::optional<FileType> file_type_of(std::string_view content_type, std::string_view name) {
    std::string mime = lowered(content_type.substr(0, content_type.find(';')));
    mime.erase(mime.find_last_not_of(" \t") + 1);
    mime.erase(0, std::min(mime.find_first_not_of(" \t"), mime.size()));
    for (const Row& row : rows)
        if (mime == row.mime || has_word(row.others, mime)) return type_of(row, mime);
    std::string extension = extension_of(name);
    if (extension.starts_with('.')) extension.erase(0, 1);
    if (extension.empty()) return std::nullopt;
    for (const Row& row : rows)
        if (has_word(row.extensions, extension)) return type_of(row, std::string(row.mime));
    return std::nullopt;
}

}  // namespace stele
