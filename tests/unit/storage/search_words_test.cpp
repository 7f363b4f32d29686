#include "storage/search_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SearchTerms, AreTheWordsOfALanguageWithSpaces) {
    const SearchTerms found = search_terms("Where's the café, 2nd floor?");

    EXPECT_THAT(found.terms, ElementsAre("Where", "s", "the", "caf\u00e9", "2nd", "floor"));
    EXPECT_FALSE(found.dense);
}

TEST(SearchTerms, ArePairsOfCharactersWhereWordsStandWithoutSpaces) {
    const SearchTerms found = search_terms("\u56fe\u4e66\u9986 AI\u52a9\u624b");

    EXPECT_THAT(found.terms, ElementsAre("\u56fe\u4e66", "\u4e66\u9986", "AI", "\u52a9\u624b"));
    EXPECT_TRUE(found.dense);
}

TEST(SearchTerms, ASingleCharacterIsATermOfItsOwn) {
    EXPECT_THAT(search_terms("\u6728").terms, ElementsAre("\u6728"));
    EXPECT_THAT(search_terms("\U00020000").terms, ElementsAre("\U00020000"));
}

TEST(SearchTerms, PunctuationAloneIsNone) {
    EXPECT_THAT(search_terms(" ?! --- \"").terms, IsEmpty());
    EXPECT_THAT(search_terms("").terms, IsEmpty());
}

TEST(FtsQuery, QuotesEveryTermSoThatNoneIsSyntax) {
    EXPECT_EQ(fts_query(search_terms("text:a OR NEAR(b)").terms), R"("text" OR "a" OR "OR" OR "NEAR" OR "b")");
    EXPECT_EQ(fts_query({}), "");
}

}  // namespace
}  // namespace stele::storage
