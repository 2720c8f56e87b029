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

TEST(Log, json_keeps_numbers_and_whatever_a_peer_sends_is_valid) {
  EXPECT_EQ(json_text("agent connected", {{"node", "n1"}, {"epoch", 7}, {"tls", false}, {"share", 0.5}}),
            R"("event":"agent connected","node":"n1","epoch":7,"tls":false,"share":"0.500000")");
  EXPECT_EQ(json_text("nack", {{"reason", "a \"b\\\n\x01\xff z\xc3\xbc"}}),
            "\"event\":\"nack\",\"reason\":\"a \\\"b\\\\  \\ufffd z\xc3\xbc\"");
}

TEST(Log, levels_have_names) {
  EXPECT_EQ(level_named("warn"), Level::Warn);
  EXPECT_EQ(level_named("loud"), std::nullopt);
}

}  // namespace
}  // namespace meshdns::log
