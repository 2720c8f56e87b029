#include "common/config/endpoint_lines.h"

#include <gmock/gmock.h>

#include "common/config/load.h"

namespace meshdns::config {
namespace {

using testing::HasSubstr;

constexpr std::size_t kRoom = 4096;

std::vector<std::string> texts_of(const std::string& file) {
  std::vector<std::string> out;
  const auto lines = endpoint_lines(file, kRoom).value();
  for (const auto& line : lines) out.push_back(line.text);
  return out;
}

TEST(EndpointLines, each_entry_becomes_a_line_and_means_the_same) {
  const std::string file =
      "endpoints:  # ours\n"
      "  - service: web\n"
      "    namespace: shop\n"
      "    labels: {version: \"1.10\"}\n"
      "    ports:\n"
      "      - {name: http, number: 8080}\n"
      "    checks: [{http: {port: http, path: /healthz, status: [200-299, 401]}, interval: 2s}]\n"
      "  - {service: db, namespace: shop, ports: [{number: 5432}]}\n";
  const auto lines = endpoint_lines(file, kRoom).value();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].text, R"({"service": "db", "namespace": "shop", "ports": [{"number": "5432"}]})");
  EXPECT_EQ(lines[0].service, "shop/web");
  const std::string again = endpoints_text("# a comment\n", lines);
  EXPECT_EQ(load_endpoints(again, "again").value().SerializeAsString(),
            load_endpoints(file, "file").value().SerializeAsString());
  EXPECT_EQ(endpoint_lines(again, kRoom).value(), lines);
}

TEST(EndpointLines, aliases_are_written_out) {
  EXPECT_EQ(texts_of("endpoints:\n- {a: &x [1, 2], b: *x}\n"),
            std::vector<std::string>{R"({"a": ["1", "2"], "b": ["1", "2"]})"});
}

TEST(EndpointLines, texts_keep_every_character) {
  const std::string odd = R"("a \"b\" \\ \t \x7f é # : {} 'x'")";
  const auto line = endpoint_lines("endpoints: [{service: " + odd + "}]\n", kRoom).value().at(0);
  EXPECT_EQ(endpoint_lines(endpoints_text("", {line}), kRoom).value().at(0), line);
  EXPECT_THAT(line.text, HasSubstr(R"(\x09 \x7f é # : {} 'x')"));
}

TEST(EndpointLines, nothing_stays_nothing_and_a_quoted_null_a_text) {
  EXPECT_EQ(texts_of("endpoints: [{a: null, b: \"null\", c: ~, d: ''}]\n"),
            std::vector<std::string>{R"({"a": null, "b": "null", "c": null, "d": ""})"});
}

TEST(EndpointLines, an_entry_need_not_be_right) {
  EXPECT_EQ(endpoint_lines("endpoints: [7, {srevice: web}, null]\n", kRoom).value().size(), 3U);
  EXPECT_EQ(endpoint_lines("endpoints: [{service: web}]\n", kRoom).value()[0].service, "");
}

TEST(EndpointLines, an_empty_list_stays_one) {
  EXPECT_EQ(endpoint_lines("endpoints: []\n", kRoom).value().size(), 0U);
  EXPECT_EQ(endpoint_lines(endpoints_text("# x\n", {}), kRoom).value().size(), 0U);
}

TEST(EndpointLines, what_is_no_list_of_endpoints_is_refused) {
  for (const char* text : {"", "endpoints: 7\n", "[]\n", "{a: b}\n", "endpoints: [}\n", "endpoints: \xff\n"}) {
    EXPECT_EQ(endpoint_lines(text, kRoom).error().code(), Code::DataLoss) << text;
  }
}

TEST(EndpointLines, an_entry_has_a_bound_with_its_aliases) {
  std::string text = "endpoints:\n- a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 6; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    std::string list = before;
    for (int j = 0; j < 9; ++j) list += ", " + before;
    text += "  a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + list + "]\n";
  }
  EXPECT_EQ(endpoint_lines(text, kRoom).error().code(), Code::ResourceExhausted);
  EXPECT_EQ(endpoint_lines("endpoints: [{a: bcdef}]\n", 14).value().at(0).text.size(), 14U);
  EXPECT_FALSE(endpoint_lines("endpoints: [{a: bcdef}]\n", 13));
}

}  // namespace
}  // namespace meshdns::config
