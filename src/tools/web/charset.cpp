#include "tools/web/charset.hpp"

#include "base/utf8.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace stele::tools::web {
namespace {

constexpr std::size_t prescan_bytes = 1024;
constexpr char replacement[] = "\xef\xbf\xbd";

struct Label {
    const char* label;
    const char* encoding;  // as iconv calls it
};

// The labels that pages carry. Latin-1 is read as Windows-1252, as every browser does.
constexpr Label labels[] = {
    {"utf-8", "UTF-8"},
    {"utf8", "UTF-8"},
    {"us-ascii", "WINDOWS-1252"},
    {"ascii", "WINDOWS-1252"},
    {"iso-8859-1", "WINDOWS-1252"},
    {"iso8859-1", "WINDOWS-1252"},
    {"latin1", "WINDOWS-1252"},
    {"l1", "WINDOWS-1252"},
    {"windows-1252", "WINDOWS-1252"},
    {"cp1252", "WINDOWS-1252"},
    {"x-cp1252", "WINDOWS-1252"},
    {"windows-1250", "WINDOWS-1250"},
    {"windows-1251", "WINDOWS-1251"},
    {"cp1251", "WINDOWS-1251"},
    {"windows-1253", "WINDOWS-1253"},
    {"windows-1254", "WINDOWS-1254"},
    {"iso-8859-9", "WINDOWS-1254"},
    {"windows-1255", "WINDOWS-1255"},
    {"windows-1256", "WINDOWS-1256"},
    {"windows-1257", "WINDOWS-1257"},
    {"windows-1258", "WINDOWS-1258"},
    {"windows-874", "WINDOWS-874"},
    {"tis-620", "WINDOWS-874"},
    {"iso-8859-2", "ISO-8859-2"},
    {"iso-8859-3", "ISO-8859-3"},
    {"iso-8859-4", "ISO-8859-4"},
    {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-6", "ISO-8859-6"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-8", "ISO-8859-8"},
    {"iso-8859-10", "ISO-8859-10"},
    {"iso-8859-13", "ISO-8859-13"},
    {"iso-8859-14", "ISO-8859-14"},
    {"iso-8859-15", "ISO-8859-15"},
    {"iso-8859-16", "ISO-8859-16"},
    {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},
    {"macintosh", "MACINTOSH"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"euc-jp", "EUC-JP"},
    {"iso-2022-jp", "ISO-2022-JP"},
    {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"gb18030", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"big5-hkscs", "BIG5-HKSCS"},
    {"utf-16", "UTF-16LE"},
    {"utf-16le", "UTF-16LE"},
    {"utf-16be", "UTF-16BE"},
};

constexpr std::string_view blanks = " \t\r\n\f";

std::string lower(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return made;
}

// Null for a label that is not known.
const char* encoding_of(std::string_view label) {
    const auto begin = label.find_first_not_of(blanks);
    if (begin == label.npos) return nullptr;
    const std::string name = lower(label.substr(begin, label.find_last_not_of(blanks) - begin + 1));
    const auto found =
        std::find_if(std::begin(labels), std::end(labels), [&](const Label& each) { return name == each.label; });
    return found == std::end(labels) ? nullptr : found->encoding;
}

// What `charset=` of a <meta> within `head` says: <meta charset="x">, or <meta ... content="text/html; charset=x">.
std::string_view prescan(std::string_view head) {
    const std::string low = lower(head);
    for (std::size_t at = low.find("<meta"); at != low.npos; at = low.find("<meta", at + 1)) {
        const std::size_t end = std::min(low.find('>', at), low.size());
        std::size_t value = low.find("charset", at);
        if (value == low.npos || value > end) continue;
        value = low.find_first_not_of(blanks, value + 7);
        if (value == low.npos || low[value] != '=') continue;
        value = low.find_first_not_of(" \t\r\n\f\"'", value + 1);
        if (value == low.npos || value > end) continue;
        return head.substr(value, low.find_first_of(" \t\r\n\f\"';>/", value) - value);
    }
    return {};
}

std::string converted(std::string_view bytes, const char* encoding) {
    const iconv_t descriptor = ::iconv_open("UTF-8", encoding);
    if (descriptor == reinterpret_cast<iconv_t>(-1)) return to_valid_utf8(bytes);
    std::string made;
    made.reserve(bytes.size() + bytes.size() / 4);
    std::array<char, 16 << 10> piece;
    // iconv's signature is older than const.
    char* in = const_cast<char*>(bytes.data());
    std::size_t in_left = bytes.size();
    while (in_left > 0) {
        char* out = piece.data();
        std::size_t out_left = piece.size();
        const bool stuck = ::iconv(descriptor, &in, &in_left, &out, &out_left) == static_cast<std::size_t>(-1);
        const int why = errno;
        made.append(piece.data(), piece.size() - out_left);
        if (!stuck || why == E2BIG) continue;
        made += replacement;
        if (why == EINVAL) break;  // the last character is cut off
        ++in;
        --in_left;
    }
    ::iconv_close(descriptor);
    return made;
}

}  // namespace

std::string to_utf8(std::string_view bytes, std::string_view declared, bool is_html) {
    const char* encoding = nullptr;
    if (bytes.starts_with("\xef\xbb\xbf")) {
        encoding = "UTF-8";
        bytes.remove_prefix(3);
    } else if (bytes.starts_with("\xff\xfe")) {
        encoding = "UTF-16LE";
        bytes.remove_prefix(2);
    } else if (bytes.starts_with("\xfe\xff")) {
        encoding = "UTF-16BE";
        bytes.remove_prefix(2);
    }
    if (encoding == nullptr) encoding = encoding_of(declared);
    if (encoding == nullptr && is_html) {
        encoding = encoding_of(prescan(bytes.substr(0, prescan_bytes)));
        // A page that says of itself to be UTF-16, in letters of one byte each, is not.
        if (encoding != nullptr && std::string_view(encoding).starts_with("UTF-16")) encoding = "UTF-8";
    }
    if (encoding == nullptr) encoding = is_utf8(bytes) ? "UTF-8" : "WINDOWS-1252";
    std::string text = std::string_view(encoding) == "UTF-8" ? to_valid_utf8(bytes) : converted(bytes, encoding);
    std::erase(text, '\0');
    return text;
}

}  // namespace stele::tools::web
