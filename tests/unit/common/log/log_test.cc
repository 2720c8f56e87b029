#include "common/log/log.h"

#include <gtest/gtest.h>

namespace meshdns::log {
namespace {

TEST(Log, fields_are_key_value) {
  EXPECT_EQ(line_text("agent connected", {{"node", "n1"}, {"epoch", 7}, {"in", 1500ms}, {"tls", false}}),
            "agent connected node=n1 epoch=7 in=1s500ms tls=false");
}

TEST(Log, a_line_stays_a_line_whatever_a_peer_sends) {
  EXPECT_EQ(line_text("nack", {{"reason", "a \"b\"\n\x01x"}, {"empty", ""}}),
            R"(nack reason="a \"b\" \u0001x" empty="")");
}

TEST(Log, json_keeps_numbers_and_whatever_a_peer_sends_is_valid) {
  EXPECT_EQ(json_text("agent connected", {{"node", "n1"}, {"epoch", 7}, {"tls", false}, {"share", 0.5}}),
            R"("event":"agent connected","node":"n1","epoch":7,"tls":false,"share":"0.500000")");
  EXPECT_EQ(json_text("nack", {{"reason", "a \"b\\\n\x01\xff z\xc3\xbc"}}),
            "\"event\":\"nack\",\"reason\":\"a \\\"b\\\\ \\u0001\\ufffd z\xc3\xbc\"");
}

// ESC, C1 in UTF-8 and as a bare byte, and a right-to-left override moved the cursor of whoever read the log.
TEST(Log, what_a_terminal_would_obey_is_escaped_in_both_formats) {
  const std::string name =
      "n\x1b[2J \xc2\x9b"
      "1A \x9b"
      "2A \xe2\x80\xae"
      "gpj.exe";
  EXPECT_EQ(line_text("agent connected", {{"node", name}}),
            R"(agent connected node="n\u001b[2J \u009b1A \x9b2A \u202egpj.exe")");
  EXPECT_EQ(json_text("agent connected", {{"node", name}}),
            R"("event":"agent connected","node":"n\u001b[2J \u009b1A \ufffd2A \u202egpj.exe")");
}

TEST(Log, levels_have_names) {
  EXPECT_EQ(level_named("warn"), Level::Warn);
  EXPECT_EQ(level_named("loud"), std::nullopt);
}

}  // namespace
}  // namespace meshdns::log
