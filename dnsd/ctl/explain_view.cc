#include "dnsd/ctl/explain_view.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "common/base/table.h"
#include "common/base/text.h"
#include "common/convert/report_convert.h"
#include "common/time/duration_text.h"
#include "dnsd/ctl/clean.h"
#include "dnsd/ctl/flowed.h"

namespace meshdns::ctl {
namespace {

constexpr std::size_t kValueColumn = 9;    // column of the value in "client   ..."
constexpr std::size_t kDetailColumn = 20;  // column of the detail after a value that is not longer
constexpr std::size_t kHeadColumn = 57;    // column of the revision in the first line

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 3, width), ' ');
  return text;
}

/// Returns "1 s" for "1s"; "4h12m" unchanged.
std::string with_blank(const std::string& text) {
  const auto unit = text.find_first_not_of("0123456789.");
  if (unit == std::string::npos || unit == 0) return text;
  const bool more = text.find_first_of("0123456789", unit) != std::string::npos;
  return more ? text : text.substr(0, unit) + " " + text.substr(unit);
}

std::string age(const google::protobuf::Duration& duration) { return age_text(convert::from_wire(duration)); }

/// Returns the text for a table: "slow start 40 %, ..." for "slow-start 40%, ...".
std::string why_text(const std::string& why) {
  constexpr std::string_view kWord = "slow-start ";
  if (!why.starts_with(kWord)) return why;
  const auto percent = why.find('%');
  if (percent == std::string::npos) return why;
  return "slow start " + why.substr(kWord.size(), percent - kWord.size()) + " " + why.substr(percent);
}

std::string rung_text(const v1::ExplainedTier& tier) {
  if (!tier.split()) return tier.rung();
  return tier.rung() + " (" + (tier.cluster().empty() ? "no cluster" : tier.cluster()) + ")";
}

std::vector<std::string> pieces_of(const std::string& policy) {
  std::vector<std::string> out;
  std::size_t from = 0;
  for (auto comma = policy.find(", "); comma != std::string::npos; comma = policy.find(", ", from)) {
    out.push_back(policy.substr(from, comma - from));
    from = comma + 2;
  }
  out.push_back(policy.substr(from));
  return out;
}

/// Returns as many addresses as fit into `columns`, at least one, and the number of further ones.
std::string fitting(const std::vector<std::string>& addresses, std::size_t columns) {
  std::string out = addresses.front();
  for (std::size_t i = 1; i < addresses.size(); ++i) {
    const std::string more = " and " + std::to_string(addresses.size() - i) + " more";
    const std::size_t reserve = i + 1 == addresses.size() ? 0 : more.size();
    if (out.size() + 2 + addresses[i].size() + reserve > columns) return out + more;
    out += ", " + addresses[i];
  }
  return out;
}

/// Returns addresses by family: "A 10.0.0.1, 10.0.0.2   AAAA fd00::1".
template <class Addresses>
std::string addresses_text(const Addresses& addresses, std::size_t columns) {
  std::vector<std::string> v4;
  std::vector<std::string> v6;
  for (const std::string& address : addresses) (address.find(':') == std::string::npos ? v4 : v6).push_back(address);
  const std::size_t each = v4.empty() || v6.empty() ? columns : columns / 2;
  std::string out;
  if (!v4.empty()) out = "A " + fitting(v4, each - 2);
  if (!v6.empty()) out += (out.empty() ? "" : "   ") + ("AAAA " + fitting(v6, each - 8));
  return out;
}

constexpr int kMostEndpoints = 100;  // rows of a tier; further ones are only counted, JSON has them all

std::string tiers_table(const v1::ExplainReply& reply) {
  const bool parts = std::ranges::any_of(reply.tiers(), [](const auto& tier) { return !tier.part().empty(); });
  std::vector<std::string> titles = {"TIER", "RUNG", "LOAD", "ENDPOINT", "WHERE", "STATE", "FOR", "WHY"};
  if (parts) titles.insert(titles.begin() + 1, "PART");
  Table table(titles);
  table.align_right(parts ? 3 : 2);
  const bool weights = std::ranges::any_of(reply.tiers(), [](const auto& tier) {
    return std::ranges::any_of(tier.endpoints(), [](const auto& endpoint) { return endpoint.weight() > 1; });
  });
  for (const v1::ExplainedTier& tier : reply.tiers()) {
    const int shown = std::min(tier.endpoints_size(), kMostEndpoints);
    for (int i = 0; i < shown; ++i) {
      const v1::EndpointInfo& endpoint = tier.endpoints(i);
      const bool first = i == 0;
      std::vector<std::string> cells;
      cells.push_back(first ? std::to_string(tier.number()) : "");
      if (parts) cells.push_back(first ? tier.part() : "");
      cells.push_back(first ? rung_text(tier) : "");
      cells.push_back(first ? (tier.panic() ? "panic " : "") + std::to_string(tier.load()) + "%" : "");
      const std::string weight = weights ? "weight " + std::to_string(endpoint.weight()) : "";
      const std::string why = why_text(endpoint.why());
      cells.insert(cells.end(), {endpoint.address(), endpoint.where(), endpoint.state(),
                                 endpoint.has_in_state() ? age(endpoint.in_state()) : "",
                                 weight + (weight.empty() || why.empty() ? "" : ", ") + why});
      table.add(std::move(cells));
    }
    if (shown == tier.endpoints_size()) continue;
    std::vector<std::string> more(parts ? 4 : 3);
    more.push_back("and " + std::to_string(tier.endpoints_size() - shown) + " more");
    more.resize(parts ? 9 : 8);
    table.add(std::move(more));
  }
  return table.empty() ? "no endpoint that any rung is for\n" : table.text();
}

/// Returns "1 s: 10.0.0.11 could come back" for "1s: ...".
std::string ttl_text(const std::string& why) {
  const auto colon = why.find(':');
  return "ttl " + with_blank(why.substr(0, colon)) + (colon == std::string::npos ? "" : why.substr(colon));
}

/// Returns a line for each tier with a load, and the line of the TTL. For answers with several such tiers.
std::string spread_lines(const v1::ExplainReply& reply) {
  std::string out;
  for (const v1::ExplainedTier& tier : reply.tiers()) {
    if (tier.load() == 0) continue;
    const bool drawn = tier.number() == reply.answer_tier();
    std::string head = "tier " + std::to_string(tier.number()) + " " + std::to_string(tier.load()) + "%";
    head.resize(std::max<std::size_t>(head.size(), 12), ' ');
    const std::string mark =
        drawn ? "   <- this client, for " + with_blank(duration_text(convert::from_wire(reply.drawn_for()))) : "";
    const std::size_t room = kColumns - kValueColumn - head.size() - 2 - mark.size();
    out += (out.empty() ? "answer   " : std::string(kValueColumn, ' ')) + head + "  " +
           addresses_text(tier.answer(), room) + mark + "\n";
  }
  return out + std::string(kValueColumn, ' ') + ttl_text(reply.ttl_why()) + "\n";
}

/// Returns a note or advice, wrapped at words.
std::string noted(const std::string& title, const std::string& text) {
  std::string out = title;
  out.resize(kValueColumn, ' ');
  return out + flowed(split(text, ' '), " ", {kValueColumn, kColumns}) + "\n";
}

/// Returns the line with the client's network if an endpoint is reached by a gateway; otherwise nothing.
std::string network_line(const v1::ExplainReply& reply) {
  const auto by_gateway = [](const v1::EndpointInfo& endpoint) {
    return endpoint.why().find("gateway") != std::string::npos;
  };
  const bool matters = std::ranges::any_of(
      reply.tiers(), [&](const v1::ExplainedTier& tier) { return std::ranges::any_of(tier.endpoints(), by_gateway); });
  return matters && !reply.network().empty() ? "network  " + reply.network() + "\n" : "";
}

}  // namespace

std::string answer_lines(const v1::ExplainReply& told) {
  const v1::ExplainReply reply = cleaned(told);
  if (reply.answer().empty()) return noted("answer", "nothing: " + reply.note());
  if (reply.has_drawn_for()) return spread_lines(reply);
  const std::string ttl = ttl_text(reply.ttl_why());
  const std::size_t room = kColumns - kValueColumn;
  const std::string all = addresses_text(reply.answer(), room);
  const bool fits = all.size() + 6 + ttl.size() <= room;
  return "answer   " + all + (fits ? "      " : "\n" + std::string(kValueColumn, ' ')) + ttl + "\n";
}

std::string explain_view(const v1::ExplainReply& told) {
  const v1::ExplainReply reply = cleaned(told);
  const std::string policy = reply.object().empty() ? "automatic host" : reply.object();
  const std::size_t width = std::max({kDetailColumn, reply.place().size() + 3, policy.size() + 3});
  std::string out = padded(reply.host() + " for " + reply.client(), kHeadColumn) + "revision " +
                    std::to_string(reply.revision()) + ", " + with_blank(age(reply.age())) + " old\n";
  out += "client   " + padded(reply.place(), width) + reply.reason() + "\n" + network_line(reply);
  std::vector<std::string> pieces = pieces_of(reply.policy());
  pieces.push_back("empty: " + reply.on_empty());
  out += "policy   " + padded(policy, width) +
         flowed({pieces.begin(), pieces.end()}, "   ", {kValueColumn + width, kColumns}) + "\n";
  if (!reply.frozen().empty()) out += "frozen   " + reply.frozen() + "\n";
  out += "\n" + tiers_table(reply) + "\n" + answer_lines(reply);
  if (!reply.answer().empty() && !reply.note().empty()) out += noted("note", reply.note());
  for (const std::string& advice : reply.advice()) out += noted("note", advice);
  return out;
}

}  // namespace meshdns::ctl
