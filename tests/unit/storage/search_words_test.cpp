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

// An index of text weighs every word of a query against every place of all others: the server ran out of memory on a
// query of one word, said often.
TEST(SearchTerms, AreDistinctAndNoMoreThanAnIndexCanBear) {
    std::string same, many, dense;
    for (int i = 0; i < 100'000; ++i) {
        same += i % 2 == 0 ? "ab " : "AB ";
        many += "w" + std::to_string(i) + " ";
        dense += i % 3 == 0 ? "\u56fe" : "\u4e66";
    }

    EXPECT_THAT(search_terms(same).terms, ElementsAre("ab"));
    EXPECT_EQ(search_terms(many).terms.size(), search_terms_max);
    EXPECT_EQ(search_terms(many).terms.front(), "w0");
    EXPECT_LE(search_terms(dense).terms.size(), 4u);
    EXPECT_LE(dense_trigrams(dense).size(), 4u);
}

}  // namespace
}  // namespace stele::storage
