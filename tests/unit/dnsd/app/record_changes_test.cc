#include "dnsd/app/record_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::dnsd::app {
namespace {

using catalog::RecordType;
using testing::ElementsAre;
using testing::IsEmpty;

class RecordChangesTest : public testing::Test {
 protected:
  RecordChangesTest() {
    changes_.on({RecordType::Node}, [this] { told_.emplace_back("node"); });
    changes_.on({RecordType::Endpoint, RecordType::Service}, [this] { told_.emplace_back("endpoint"); });
    changes_.on_any([this] { told_.emplace_back("any"); });
  }
  std::vector<std::string> told() {
    changes_.look();
    return std::exchange(told_, {});
  }

  catalog::Catalog catalog_;
  RecordChanges changes_{catalog_};
  std::vector<std::string> told_;
};

TEST_F(RecordChangesTest, each_part_hears_of_what_concerns_it_once) {
  EXPECT_THAT(told(), IsEmpty());
  catalog_.put_node(catalog::node(), catalog::kNow);
  EXPECT_THAT(told(), ElementsAre("node", "any"));
  catalog_.apply_delta("eu-1/n1", {catalog::endpoint()}, {}, catalog::kNow);
  EXPECT_THAT(told(), ElementsAre("endpoint", "any"));
  catalog_.apply_delta("eu-1/n1", {catalog::endpoint()}, {}, catalog::kNow);
  EXPECT_THAT(told(), IsEmpty()) << "it was so before";
}

// Guards the control thread: a heartbeat changes nothing, and nobody may look at anything because of it.
TEST_F(RecordChangesTest, messages_that_change_nothing_reach_nobody) {
  catalog_.put_node(catalog::node(), catalog::kNow);
  told();
  for (int i = 0; i < 1000; ++i) changes_.look();
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(RecordChangesTest, what_a_part_changes_itself_is_told_too) {
  changes_.on({RecordType::Node}, [this] {
    catalog_.apply_delta("eu-1/n1", {catalog::endpoint()}, {}, catalog::kNow);
    changes_.look();  // it may ask again: it is in the middle of it
  });
  catalog_.put_node(catalog::node(), catalog::kNow);
  EXPECT_THAT(told(), ElementsAre("node", "any", "endpoint", "any"));
}

// A replica that follows another federation counts its revisions anew.
TEST_F(RecordChangesTest, a_revision_that_begins_anew_is_a_change) {
  catalog_.mirror(catalog::endpoint());
  catalog_.mirrored(50, catalog::kNow);
  told();
  catalog_.mirror(catalog::node());
  catalog_.mirrored(50, catalog::kNow);
  EXPECT_THAT(told(), ElementsAre("node", "any"));
}

}  // namespace
}  // namespace meshdns::dnsd::app
