#include "dnsd/persistence/store_marker.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::persistence {
namespace {

using Word = StoreMarker::Word;

class StoreMarkerTest : public testing::Test {
 protected:
  std::string path() const { return folder_.path("federation.db.state"); }

  const store::Folder folder_;
  const StoreMarker marker_{path()};
};

TEST_F(StoreMarkerTest, says_what_was_written) {
  EXPECT_EQ(marker_.read().word, Word::None);
  for (const Word word : {Word::Recovering, Word::Claimed, Word::Whole}) {
    ASSERT_TRUE(marker_.write({word, {41, 7}}));
    EXPECT_EQ(marker_.read().word, word);
    EXPECT_EQ(marker_.read().written, (store::Written{41, 7}));
  }
  EXPECT_EQ(store::bytes_of(path()), "whole\n41 7\n") << "earlier versions read the first line";
  EXPECT_EQ(folder_.count(""), 1) << "nothing is left beside it";
}

TEST_F(StoreMarkerTest, one_of_an_earlier_version_has_counted_nothing) {
  for (const char* bytes : {"whole\n", "whole\n41\n", "whole\nmany 7\n"}) {
    store::write_bytes(path(), bytes);
    EXPECT_EQ(marker_.read().word, Word::Whole);
    EXPECT_EQ(marker_.read().written.transactions, 0U) << bytes;
  }
}

// An empty file, as a full disk left it, was taken for a first start: a database that was lost later was not missed.
TEST_F(StoreMarkerTest, what_means_nothing_is_unknown_and_not_none) {
  for (const char* bytes : {"", "\n", "who", "whole recovering"}) {
    store::write_bytes(path(), bytes);
    EXPECT_EQ(marker_.read().word, Word::Unknown) << bytes;
  }
  std::filesystem::remove(path());
  ASSERT_EQ(::mkdir(path().c_str(), 0700), 0);
  EXPECT_EQ(marker_.read().word, Word::Unknown) << "it cannot be read";
}

TEST_F(StoreMarkerTest, one_that_cannot_be_written_stays) {
  ASSERT_TRUE(marker_.write({Word::Recovering, {}}));
  ASSERT_EQ(::mkdir((path() + ".next").c_str(), 0700), 0);
  const auto written = marker_.write({Word::Whole, {}});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message(), path() + ": Is a directory");
  EXPECT_EQ(marker_.read().word, Word::Recovering);
}

}  // namespace
}  // namespace meshdns::persistence
