#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "dnsd/answers/answer_table.h"

namespace meshdns::answers {

/// What every class of clients gets of a host, as text.
inline std::string dump(const AnswerTable& table, const Host& host) {
  std::string out =
      wire::name_text(host.name()) + " " + host.spec->object + " zone " + std::to_string(host.zone) + "\n";
  for (const EndpointRow& row : host.rows()) {
    out += "  " + IpAddress::v4_bytes(row.v4).text() + " " + host.locality(row).text() + " " +
           std::string(standing_name(host.traits(row).standing)) + " " + host.text(host.traits(row).why) + "\n";
  }
  for (std::uint32_t place = 0; place < table.where->places.size(); ++place) {
    const Set& set = table.set(host, place);
    out += "  " + table.where->places[place] + " ttl " + std::to_string(set.ttl) + " note " + host.text(set.note);
    for (const std::uint16_t row : host.rows_of(set)) out += " " + std::to_string(row);
    for (const Tier& tier : host.tiers(set)) out += " t" + std::to_string(tier.number) + "-" + std::to_string(tier.end);
    out += "\n";
  }
  return out;
}

/// All that a table says, in an order that does not depend on how it was made.
inline std::set<std::string> dump(const AnswerTable& table) {
  std::set<std::string> out;
  for (std::uint32_t number = 0; number < table.pages.size() * HostPage::kHosts; ++number) {
    const Host* host = table.host(number);
    if (host == nullptr) continue;
    EXPECT_EQ(table.find(host->name(), wire::hash_name(host->name())).host, host);
    out.insert(dump(table, *host));
  }
  for (const Node& node : table.names->nodes()) out.insert("node " + wire::name_text(node.name));
  EXPECT_EQ(out.size(), table.names->hosts() + table.names->nodes().size());
  for (const Ref<const ReversePage>& page : table.reverse.pages) {
    EXPECT_FALSE(page->entries.empty());
    EXPECT_LE(page->entries.size(), ReversePage::kMost);
    for (const ReverseEntry& entry : page->entries) {
      out.insert(entry.address.text() + " is at " + wire::name_text(table.host(entry.host)->name()));
      EXPECT_EQ(table.reverse.find(entry.address), &entry);
    }
  }
  return out;
}

}  // namespace meshdns::answers
