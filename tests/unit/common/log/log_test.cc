#include "common/log/log.h"

#include <gtest/gtest.h>

namespace meshdns::log {
namespace {

TEST(Log, fields_are_key_value) {
  EXPECT_EQ(line_text("agent connected", {{"node", "n1"}, {"epoch", 7}, {"in", 1500ms}, {"tls", false}}),
            "agent connected node=n1 epoch=7 in=1s500ms tls=false");
}

TEST(Log, a_line_stays_a_line_whatever_a_peer_sends) {
  EXPECT_EQ(line_text("nack", {{"reason", "a \"b\"\n\x01x"}, {"empty", ""}}), R"(nack reason="a \"b\"  x" empty="")");
}

}  // namespace
}  // namespace meshdns::log
