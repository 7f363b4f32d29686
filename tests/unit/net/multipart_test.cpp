#include "net/multipart.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace stele::net {
namespace {

constexpr char type[] = "multipart/form-data; boundary=xyz";

std::string form_of(const std::string& file, const std::string& name) {
    return "--xyz\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n" + name +
           "\r\n--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.af\"\r\nContent-Type: "
           "text/plain\r\n\r\n" +
           file + "\r\n--xyz--\r\n";
}

TEST(ParseForm, GivesTheSamePartsOfABodyThatIsReadPieceByPiece) {
    for (std::size_t size = (256u << 10) - 260; size < (256u << 10) + 20; size += 7) {
        std::string file(size, 'x');
        for (std::size_t i = 0; i + 3 < size; i += 1'000) file.replace(i, 3, "\r\n-");
        const std::string body = form_of(file, "Ada");

        const std::vector<FormPart> in_memory = parse_form(type, std::string_view(body));
        const std::vector<StoredFormPart> stored = parse_form(type, TextBytes(body));

        ASSERT_EQ(stored.size(), in_memory.size());
        for (std::size_t i = 0; i < stored.size(); ++i) {
            EXPECT_EQ(stored[i].name, in_memory[i].name);
            EXPECT_EQ(stored[i].file_name, in_memory[i].file_name);
            EXPECT_EQ(body.substr(stored[i].offset, stored[i].size), in_memory[i].content) << size;
        }
        EXPECT_EQ(stored[0].content, "Ada");
        EXPECT_EQ(stored[1].content, "");
    }
}

TEST(ParseForm, RefusesACutBodyThatIsReadPieceByPiece) {
    const std::string body = form_of(std::string(300'000, 'y'), "Ada");
    for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{40}, std::size_t{200}, body.size() - 10})
        EXPECT_THROW(parse_form(type, TextBytes(body.substr(0, size))), Error) << size;
}

}  // namespace
}  // namespace stele::net
