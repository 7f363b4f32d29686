#include "runtime/identity_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::Optional;

constexpr Timestamp noon{std::chrono::hours(12)};

Block block(const std::string& id, const std::string& label) {
    Block made;
    made.id = id;
    made.label = label;
    return made;
}

PersonaBlock persona(const std::string& id, bool linked, bool own, seconds age = seconds(0)) {
    PersonaBlock made;
    made.block_id = id;
    made.linked = linked;
    made.own = own;
    made.attached_at = noon - age;
    return made;
}

std::vector<std::string> ids(const std::vector<Block>& blocks) {
    std::vector<std::string> found;
    for (const Block& each : blocks) found.push_back(each.id);
    return found;
}

const std::vector<Block> attached{block("human", "human"), block("ann", "Persona_ann"), block("ben", "Persona_ben"),
                                  block("any", "Persona_any")};

IdentityFacts ann() {
    IdentityFacts facts;
    facts.personas = {persona("ann", true, true), persona("ben", true, false), persona("any", false, false)};
    return facts;
}

TEST(IdentityView, HidesWhatTellsOfOthersAlone) {
    EXPECT_THAT(ids(view_of(attached, ann(), {})), ElementsAre("human", "ann", "any"));
}

TEST(IdentityView, ShowsEverythingWhereNobodyWantsItHidden) {
    IdentityRules rules;
    rules.isolation = false;

    EXPECT_THAT(ids(view_of(attached, ann(), rules)), ElementsAre("human", "ann", "ben", "any"));
}

TEST(IdentityView, AddsBlocksOfTheIdentityBehindThoseOfTheAgent) {
    IdentityFacts facts = ann();
    facts.blocks = {block("ann", "Persona_ann"), block("tea", "tea")};

    EXPECT_THAT(ids(view_of(attached, facts, {})), ElementsAre("human", "ann", "any", "tea"));
}

TEST(IdentityView, PutsABlockOfTheIdentityInPlaceOfTheAgentsWithItsLabel) {
    IdentityFacts facts = ann();
    facts.blocks = {block("own", "human"), block("second", "human")};

    EXPECT_THAT(ids(view_of(attached, facts, {})), ElementsAre("own", "ann", "any"));
}

TEST(IdentityView, LeavesItsBlocksOutWhereTheyAreNotWanted) {
    IdentityFacts facts = ann();
    facts.blocks = {block("tea", "tea")};
    IdentityRules rules;
    rules.blocks = false;

    EXPECT_THAT(ids(view_of(attached, facts, rules)), ElementsAre("human", "ann", "any"));
}

TEST(IdentityView, IsAmbiguousWhileSeveralPersonasAreNobodys) {
    IdentityFacts facts = ann();
    EXPECT_FALSE(is_ambiguous(facts, {}));

    facts.personas.push_back(persona("some", false, false));

    EXPECT_TRUE(is_ambiguous(facts, {}));
    EXPECT_EQ(learnt_persona(facts, {}, noon), std::nullopt);
}

TEST(LearntPersona, IsTheOnlyOneThatWasAttachedAMomentAgo) {
    IdentityFacts facts;
    facts.personas = {persona("ben", true, false), persona("any", false, false, seconds(60))};

    EXPECT_THAT(learnt_persona(facts, {}, noon), Optional(std::string("any")));
    EXPECT_EQ(learnt_persona(facts, {}, noon + seconds(1)), std::nullopt);
}

TEST(LearntPersona, IsNoneOfSomebodyWhoHasOneAlready) {
    IdentityFacts facts;
    facts.personas = {persona("any", false, false)};
    facts.blocks = {block("ann", "Persona_ann")};

    EXPECT_EQ(learnt_persona(facts, {}, noon), std::nullopt);
}

TEST(LearntPersona, IsNoneWhereTheOperatorLinksByHand) {
    IdentityFacts facts;
    facts.personas = {persona("any", false, false)};
    IdentityRules rules;
    rules.auto_link_persona = false;

    EXPECT_EQ(learnt_persona(facts, rules, noon), std::nullopt);
}

}  // namespace
}  // namespace stele::runtime
