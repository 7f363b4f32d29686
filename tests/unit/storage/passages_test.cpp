// What is found by its words: filters inside the limit, nothing in a query is syntax, languages without spaces.
#include "domain/archive.hpp"
#include "storage/archive_repository.hpp"
#include "storage/passage_repository.hpp"
#include "storage/passage_vectors.hpp"
#include "tests/unit/storage/store_test.hpp"

#include <gmock/gmock.h>

namespace stele::storage {
namespace {

using boost::asio::awaitable;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr char organization[] = "org-00000000-0000-4000-8000-0000000000aa";
constexpr Statement insert_organization{"test.organization",
                                        "INSERT INTO organization (id, name, created_at) VALUES ($1, 'o', 0)"};

class Passages : public StoreTest {
protected:
    Passages() {
        ArchiveCreateRequest request;
        request.name = "shelf";
        archive_ = make_archive(request, organization, "user-1");
        Transaction transaction;
        transaction.add(insert_organization, organization);
        ArchiveRepository(*database_).insert(transaction, archive_);
        commit(std::move(transaction));
    }

    Passage add(const std::string& text, std::vector<std::string> tags = {}, const char* created = nullptr) {
        PassageCreateRequest request;
        request.text = text;
        request.tags = std::move(tags);
        if (created != nullptr) request.created_at = *parse_iso8601(created);
        Passage made = make_passage(request, organization, "user-1");
        made.archive_id = archive_.id;
        Transaction transaction;
        passages().insert(transaction, {made});
        commit(std::move(transaction));
        return made;
    }

    PassageFilter filter() const {
        PassageFilter made;
        made.organization_id = organization;
        made.scope_ids = {archive_.id};
        return made;
    }

    std::vector<std::string> search(const std::string& text, PassageFilter wanted, std::int64_t limit = 50) {
        const std::vector<std::int64_t> positions = run(passages().search(std::move(wanted), text, limit));
        std::vector<std::string> texts;
        for (const Passage& each : run(passages().at(organization, positions))) texts.push_back(each.text);
        return texts;
    }
    std::vector<std::string> search(const std::string& text) { return search(text, filter()); }

    PassageRepository passages() { return PassageRepository(*database_); }

    Archive archive_;
};

TEST_F(Passages, AreFoundByTheirWordsAsSoonAsTheyAreStored) {
    add("The Café opens at nine");
    add("Nothing of the kind");

    EXPECT_THAT(search("cafe"), ElementsAre("The Café opens at nine"));
    PassageFilter everywhere;
    everywhere.organization_id = organization;
    EXPECT_THAT(search("cafe", everywhere), ElementsAre("The Café opens at nine"));
    everywhere.organization_id = "org-00000000-0000-4000-8000-0000000000bb";
    EXPECT_THAT(search("cafe", everywhere), IsEmpty());
}

TEST_F(Passages, NothingInAQueryIsSyntax) {
    add("plain words here");
    for (const char* text : {"words\" OR text:x",
                             "owner : archive",
                             "NEAR(plain words)",
                             "plain AND",
                             "\"",
                             "\"\"\"",
                             "^plain",
                             "-plain",
                             "plain*",
                             "(plain",
                             "text : plain)",
                             "plain NOT words",
                             "col:plain",
                             "{plain}",
                             "'; DROP TABLE passage; --",
                             "\\",
                             "%",
                             "_",
                             "\xF0\x9F\x98\x80",
                             "plain\nwords"})
        EXPECT_NO_THROW(search(text)) << text;
    EXPECT_THAT(search("NEAR(plain words)"), ElementsAre("plain words here"));
    EXPECT_THAT(search("!?;"), IsEmpty());
    EXPECT_EQ(search("'; DROP TABLE passage; -- plain").size(), 1u);
}

TEST_F(Passages, TheFilterStandsInsideTheLimit) {
    for (int i = 0; i < 20; ++i) add("apple apple apple apple " + std::to_string(i), {"other"});
    add("an apple a day, said at the very end of a long text of many other words", {"wanted", "fruit"});
    add("an apple more, said at the very end of a long text of many other words", {"wanted"});

    PassageFilter any = filter();
    any.tags = {"wanted", "unknown"};
    EXPECT_EQ(search("apple", any, 2).size(), 2u);
    PassageFilter all = filter();
    all.tags = {"wanted", "fruit"};
    all.match_all_tags = true;
    EXPECT_THAT(search("apple", all, 1), ElementsAre(testing::HasSubstr("a day")));
    all.tags = {"wanted", "unknown"};
    EXPECT_THAT(search("apple", all, 1), IsEmpty());
}

TEST_F(Passages, BothBoundsOfATimeAreIncluded) {
    add("early bird", {}, "2026-01-01T00:00:00Z");
    add("late bird", {}, "2026-02-01T00:00:00Z");

    PassageFilter between = filter();
    between.from = parse_iso8601("2026-01-01T00:00:00Z");
    between.until = parse_iso8601("2026-01-31T23:59:59.999999Z");
    EXPECT_THAT(search("bird", between), ElementsAre("early bird"));
    between.until = parse_iso8601("2026-02-01T00:00:00Z");
    EXPECT_EQ(search("bird", between).size(), 2u);
}

TEST_F(Passages, LanguagesWithoutSpacesAreSearchedByTheirCharacters) {
    add("今日の東京は晴れでした");
    add("大阪で会議があります");
    add("plain English");

    EXPECT_THAT(search("東京"), ElementsAre("今日の東京は晴れでした"));
    EXPECT_THAT(search("東京は晴"), ElementsAre("今日の東京は晴れでした"));
    EXPECT_THAT(search("会議がありますか"), ElementsAre("大阪で会議があります"));
    EXPECT_THAT(search("京都"), IsEmpty());
}

TEST_F(Passages, AreFoundByTheirNewWordsAfterAnUpdateAndNotAtAllAfterADelete) {
    Passage passage = add("the old wording 東京タワー", {"a"});

    PassageUpdate update;
    update.text = std::string("a new phrase 大阪城公園");
    update.tags = std::vector<std::string>{"b"};
    ASSERT_EQ(apply(update, "user-2", passage), PassageChange::text);
    Transaction transaction;
    passages().update(transaction, passage, true);
    commit(std::move(transaction));

    EXPECT_THAT(search("wording"), IsEmpty());
    EXPECT_THAT(search("東京タワー"), IsEmpty());
    EXPECT_EQ(search("phrase").size(), 1u);
    EXPECT_EQ(search("大阪城公園").size(), 1u);
    EXPECT_THAT(run(passages().tags(archive_.id, 10)), ElementsAre("b"));

    Transaction removal;
    passages().remove(removal, passage);
    commit(std::move(removal));
    EXPECT_THAT(search("phrase"), IsEmpty());
    EXPECT_EQ(run(passages().count(archive_.id)), 0);
}

TEST_F(Passages, WaitForTheirVectorsInTheirRows) {
    EmbeddingConfig config;
    config.handle = "openai/e";
    config.embedding_model = "e";
    config.embedding_dim = 2;
    PassageCreateRequest request;
    request.text = "to be embedded";
    Passage made = make_passage(request, organization, "user-1");
    made.archive_id = archive_.id;
    made.embedding_config = config;
    Transaction transaction;
    passages().insert(transaction, {made});
    commit(std::move(transaction));
    const PassageVectors vectors(*database_);

    std::vector<QueuedPassage> due = run(vectors.due(now(), {}, 10));
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(due.front().text, "to be embedded");
    EXPECT_TRUE(run(vectors.due(now(), {due.front().model_id}, 10)).empty());

    Transaction failed;
    vectors.put_failed(failed, due.front(), now() + std::chrono::minutes(1));
    commit(std::move(failed));
    EXPECT_TRUE(run(vectors.due(now(), {}, 10)).empty());
    EXPECT_EQ(run(vectors.due(now() + std::chrono::minutes(2), {}, 10)).front().attempts, 1);

    Transaction made_of_another_text;
    QueuedPassage stale = due.front();
    stale.text = "what it was";
    vectors.put(made_of_another_text, stale, {9.0F, 9.0F});
    commit(std::move(made_of_another_text));
    EXPECT_EQ(run(vectors.state(archive_.id, stale.model_id)).count, 0);

    Transaction done;
    vectors.put(done, due.front(), {1.0F, 2.0F});
    commit(std::move(done));
    const auto stored = run(passages().find(organization, made.id));
    EXPECT_EQ(stored->embedding.values, (std::vector<float>{1.0F, 2.0F}));
    EXPECT_EQ(stored->embedding_state, EmbeddingState::done);
    EXPECT_FALSE(run(vectors.next_due()).has_value());
    EXPECT_EQ(run(vectors.bytes(organization)), 8);

    config.embedding_dim = 3;
    Transaction another;
    vectors.want(another, organization, archive_.id, config);
    commit(std::move(another));
    EXPECT_EQ(run(vectors.due(now(), {}, 10)).size(), 1u);
    EXPECT_TRUE(run(passages().find(organization, made.id))->embedding.values.empty());
}

TEST(PassageJson, PadsTheVectorToTheLengthThatClientsKnow) {
    Passage passage;
    EXPECT_NE(to_json(passage).find("\"embedding\":null"), std::string::npos);

    passage.embedding.values = {0.5F, -1.0F};
    const std::string json = to_json(passage);

    EXPECT_NE(json.find("\"embedding\":[0.5,-1.0,0.0,"), std::string::npos);
    const std::size_t begin = json.find("\"embedding\":["), end = json.find(']', begin);
    EXPECT_EQ(std::count(json.begin() + static_cast<std::ptrdiff_t>(begin),
                         json.begin() + static_cast<std::ptrdiff_t>(end), ','),
              4'095);
}

TEST(Archive, EmbeddingKeyTellsWhatMakesVectorsComparable) {
    EmbeddingConfig a;
    a.embedding_model = "m";
    EmbeddingConfig b = a;
    b.embedding_chunk_size = 100;
    b.batch_size = 1;
    EXPECT_EQ(embedding_key(a), embedding_key(b));
    b.embedding_dim = 7;
    EXPECT_NE(embedding_key(a), embedding_key(b));
    EXPECT_EQ(embedding_key(std::nullopt), "");
}

}  // namespace
}  // namespace stele::storage
