#include "dnsd/query/resolver.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dnsd/query/explain_text.h"
#include "dnsd/query/instance_name.h"
#include "dnsd/query/pinned.h"
#include "dnsd/query/reverse.h"
#include "dnsd/query/service_answer.h"
#include "dnsd/query/spread.h"

namespace meshdns::query {
namespace {

// Made at the start: a static variable of a function would register its destructor in a query, which may allocate.
const model::Locality kAnywhere;

constexpr std::size_t kMostLinks = 8;  // of a CNAME chain
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint32_t kNegativeTtlOfViews = 1;  // other clients may get data
constexpr std::size_t kMostUdpExplainLines = 16;  // more lines than this rarely fit into 1,232 bytes

std::string_view text_of(wire::NameBytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Returns the set's note. Other types than A and AAAA get it without its last part, which is about the number of
/// addresses.
std::string_view note_of(const answers::Host& host, const answers::Set& set, bool addresses) noexcept {
  const std::string_view note = host.text(set.note);
  if (addresses || !set.capped) return note;
  const auto last = note.rfind("; ");
  return last == std::string_view::npos ? std::string_view() : note.substr(0, last);
}

/// Returns the static wildcard below `encloser` (RFC 4592 3.3.1); null = there is none.
const answers::Node* find_wildcard(const answers::AnswerTable& table, wire::NameBytes encloser) noexcept {
  std::array<std::uint8_t, wire::kMaxName + 2> name = {1, '*'};
  if (encloser.size() + 2 > wire::kMaxName) return nullptr;
  std::memcpy(name.data() + 2, encloser.data(), encloser.size());
  const wire::NameBytes bytes(name.data(), encloser.size() + 2);
  return table.find(bytes, wire::hash_name(bytes)).node;
}

}  // namespace

bool Resolver::in_zone() const noexcept {
  const wire::FoldedName& name = response_.query().name;
  for (std::size_t below = 0; below <= name.labels; ++below) {
    const wire::NameBytes encloser = name.suffix(below);
    if (context_.table.find(encloser, wire::hash_name(encloser))) return true;
  }
  return false;
}

void Resolver::resolve() noexcept {
  if (context_.table.not_ready && in_zone()) {
    response_.set_rcode(wire::Rcode::ServFail);
    response_.explain(wire::Ede::NotReady);
    return;
  }
  if (response_.query().edns.subnet.present) located();  // only trusted forwarders get an answer to the option
  NextName next;
  Outcome outcome = answer_name({response_.query().name, wire::kQuestionOffset}, next);
  if (zone_ == nullptr) {
    response_.set_rcode(wire::Rcode::Refused);
    response_.explain(wire::Ede::NotAuthoritative);
    return;
  }
  response_.set_authoritative();
  const answers::Zone& asked = *zone_;
  conclude(next.name.empty() ? outcome : follow(next, outcome));
  if (response_.query().edns.asks != 0 && !refused_) {
    response_.set_zone(asked.apex, context_.table.serial_of(asked));
  }
}

Outcome Resolver::follow(NextName next, Outcome outcome) noexcept {
  std::array<wire::NameBytes, kMostLinks + 1> seen;
  std::size_t links = 0;
  seen[links] = response_.query().name.view();
  wire::FoldedName link;
  while (!next.name.empty() && outcome == Outcome::Answered && links < kMostLinks) {
    // Names in the table are folded, so that bytes can be compared. A loop ends before a record repeats (RFC 2181 5).
    const auto same = [&](wire::NameBytes name) { return wire::is_same(name, next.name); };
    if (std::any_of(seen.begin(), seen.begin() + links + 1, same)) break;
    seen[++links] = next.name;
    wire::fold_name(next.name, link);
    const std::uint16_t owner = next.owner;
    next = {};
    outcome = answer_name({link, owner}, next);
  }
  return outcome;
}

Outcome Resolver::answer_name(const Subject& subject, NextName& next) noexcept {
  const answers::AnswerTable& table = context_.table;
  const auto found = table.find(subject.name.view(), subject.name.hash);
  if (!found) return answer_missing(subject, next);
  zone_ = &table.names->zones[found.zone()];
  return found.host != nullptr ? answer_host(*found.host, subject) : answer_node(*found.node, subject, next);
}

Outcome Resolver::answer_missing(const Subject& subject, NextName& next) noexcept {
  const answers::AnswerTable& table = context_.table;
  const Reverse reverse = find_reverse(table, subject.name);
  for (std::size_t below = 1; below <= subject.name.labels; ++below) {
    const wire::NameBytes encloser = subject.name.suffix(below);
    const auto found = table.find(encloser, wire::hash_name(encloser));
    if (!found) continue;
    zone_ = &table.names->zones[found.zone()];
    if (found.host != nullptr) return answer_below_host(*found.host, subject, below);
    if (reverse.below == 0) return answer_reverse(reverse, subject);
    const answers::Node* wildcard = find_wildcard(table, subject.name.suffix(std::min(below, reverse.below)));
    return wildcard == nullptr ? Outcome::NxDomain : answer_node(*wildcard, subject, next);
  }
  // Outside our zones. At the start of a chain zone_ stays null, which is REFUSED; otherwise the chain ends here.
  return Outcome::Answered;
}

Outcome Resolver::answer_node(const answers::Node& node, const Subject& subject, NextName& next) noexcept {
  const wire::Type type = response_.query().type;
  const bool apex = wire::is_same(subject.name.view(), zone_->apex);
  if (type == wire::Type::ANY) return answer_any(node, subject, apex);
  if (apex && type == wire::Type::SOA) return answer_apex_soa(subject);
  if (const answers::Rrset* rrset = node.find(type)) return write_rrset(*rrset, subject.owner);
  if (const answers::Rrset* alias = node.find(wire::Type::CNAME)) return write_cname(*alias, subject.owner, next);
  if (type != wire::Type::PTR) return Outcome::NoData;
  return answer_reverse(find_reverse(context_.table, subject.name), subject);  // an address with static data beside it
}

Outcome Resolver::answer_reverse(const Reverse& reverse, const Subject& subject) noexcept {
  const wire::Type type = response_.query().type;
  if (reverse.host == nullptr || (type != wire::Type::PTR && type != wire::Type::ANY)) return Outcome::NoData;
  const auto row = find_row(*reverse.host, reverse.address);
  if (!row) return Outcome::NoData;
  const InstanceName name(*reverse.host, *row);
  if (name.length == 0) return Outcome::NoData;  // the host's name leaves no room for an instance label
  const std::size_t mark = response_.writer().position();
  // not compressed: the name is on this stack, but the writer keeps pointers to names that it may point to later
  response_.writer().generic(subject.owner, wire::Type::PTR,
                             std::min<std::uint32_t>(reverse.host->ttl, kMostDynamicTtl), name.view());
  return response_.count(Section::Answer, mark) ? Outcome::Answered : Outcome::Truncated;
}

const answers::Located& Resolver::located() noexcept {
  if (!located_) {
    located_ = context_.table.where->locator.locate(context_.client, context_.listener, response_.query().edns.subnet);
    context_.counters.by_source[static_cast<std::size_t>(located_->source)].add();
  }
  return *located_;
}

bool Resolver::may_explain() const noexcept {
  const wire::ClientSubnet& subnet = response_.query().edns.subnet;
  return context_.table.may_explain(asked_by_subnet() ? prefix_of(subnet) : Prefix::host(context_.client));
}

bool Resolver::asked_by_subnet() const noexcept {
  // if there is a subnet option, resolve() has called located() already
  return located_ && located_->subnet_trusted && response_.query().edns.subnet.source > 0;
}

HostAnswer Resolver::dynamic(const answers::Host& host, std::uint16_t owner) noexcept {
  const answers::Located& where = located();
  if (!host.same_for_all) widen_scope(where.scope);
  const answers::Set& set = context_.table.set(host, where.place);
  const DrawSeat seat{context_.client, response_.query().edns.subnet, where, context_.unix_seconds};
  return {response_, host, set, owner, context_.random, lot_seat(), set.spread ? drawn_tier(host, set, seat) : 0};
}

LotSeat Resolver::lot_seat() const noexcept {
  return {&context_.client, asked_by_subnet() ? &response_.query().edns.subnet : nullptr, context_.unix_seconds};
}

void Resolver::note_answer(const HostAnswer& answer) noexcept {
  const answers::Set& set = answer.set;
  if (set.last_resort) context_.counters.last_resort.add();
  if (set.tier_count > 0 && answer.host.tiers(set)[answer.tier].number > 0) context_.counters.beyond_tier_0.add();
  if (!response_.query().edns.present) return;
  if (set.has_ede) {
    response_.explain(set.ede, answer.host.text(set.ede_text));
  } else if (set.note != 0 && may_explain()) {
    const wire::Type type = response_.query().type;
    const bool addresses = type == wire::Type::A || type == wire::Type::AAAA;
    const std::string_view note = note_of(answer.host, set, addresses);
    if (!note.empty()) response_.explain(wire::Ede::Other, note);
  }
}

void Resolver::note_family(const HostAnswer& answer, wire::Type type) noexcept {
  if (!response_.query().edns.present || !may_explain()) return;
  if (!answer.lacks_family(type)) return;
  response_.explain(wire::Ede::Other, type == wire::Type::A ? "families together: no IPv4 address in the tier in use"
                                                            : "families together: no IPv6 address in the tier in use");
}

Outcome Resolver::answer_host(const answers::Host& host, const Subject& subject) noexcept {
  const wire::Type type = response_.query().type;
  if (type == wire::Type::A || type == wire::Type::AAAA) {
    const HostAnswer answer = dynamic(host, subject.owner);
    note_answer(answer);
    const Outcome outcome = answer.addresses(type);
    if (outcome == Outcome::NoDataForView) note_family(answer, type);
    return outcome;
  }
  if (type == wire::Type::ANY) return write_hinfo(subject.owner);
  if (type == wire::Type::SRV) return answer_service(host, subject, std::nullopt);
  if (type != wire::Type::HTTPS) return Outcome::NoData;
  const auto port = find_bound_port(host, kHttpsPort, "https");
  return port ? answer_service(host, subject, *port) : Outcome::NoData;
}

Outcome Resolver::answer_below_host(const answers::Host& host, const Subject& subject, std::size_t below) noexcept {
  const wire::Type type = response_.query().type;
  const bool address = type == wire::Type::A || type == wire::Type::AAAA;
  const HostName name = read_host_name(host, subject.name, below);
  if (name.kind == HostName::Kind::Missing) return Outcome::NxDomain;
  if (name.kind == HostName::Kind::Explain) return explain(host, subject);
  if (name.kind == HostName::Kind::Empty) return Outcome::NoData;
  if (type == wire::Type::ANY) return write_hinfo(subject.owner);
  if (name.kind == HostName::Kind::Port) return answer_port(host, subject, name);
  if (!address) return Outcome::NoData;
  if (name.kind == HostName::Kind::Instance) {
    return answer_instance(host, subject, name.row);
  }
  if (name.kind == HostName::Kind::Named) return answer_named(host, subject, name);
  if (name.kind == HostName::Kind::Member) return answer_member(host, subject, name);
  if (name.kind == HostName::Kind::All) return dynamic(host, subject.owner).all_addresses(type);
  return answer_pinned(host, subject, name);
}

Outcome Resolver::answer_port(const answers::Host& host, const Subject& subject, const HostName& name) noexcept {
  const wire::Type type = response_.query().type;
  const bool bound = type == wire::Type::SVCB || type == wire::Type::HTTPS;
  const auto port = type == wire::Type::SRV ? name.srv : bound ? name.svcb : std::nullopt;
  if (!port) return Outcome::NoData;
  if (type == wire::Type::HTTPS) {
    // RFC 9460 9.1: HTTPS records of port 443 are the host's own
    const bool own_port = text_of(subject.name.label(0)) == "_443";
    if (own_port || host.ports()[*port].app_protocol != "https") return Outcome::NoData;
  }
  return answer_service(host, subject, *port);
}

Outcome Resolver::answer_service(const answers::Host& host, const Subject& subject,
                                 std::optional<std::size_t> port) noexcept {
  const bool has_named_port = std::ranges::any_of(host.ports(), [](const auto& each) { return !each.name.empty(); });
  if (!port && !has_named_port) return Outcome::NoData;
  const HostAnswer answer = dynamic(host, subject.owner);
  note_answer(answer);
  return ServiceAnswer(answer, {response_.query().type, port}).write();
}

Outcome Resolver::answer_pinned(const answers::Host& host, const Subject& subject, const HostName& name) noexcept {
  const wire::Type type = response_.query().type;
  const Pinned pinned(host, {name.part, name.place, seat_of(host)});
  const bool preferred = name.kind == HostName::Kind::Prefer;
  if (!preferred || pinned.serves()) {  // only the fence makes the answer depend on the client: scope 0
    answers::Set set;
    set.ttl = pinned.ttl();
    const HostAnswer answer{response_, host, set, subject.owner, context_.random, lot_seat()};
    ChosenRows choice;
    pinned.choose(answer, type, choice);
    if (choice.count > 0 && pinned.last_resort()) note_last_resort();
    const auto why = pinned.kept_out();
    if (why != topology::Emptiness::None) response_.explain(wire::Ede::Prohibited, answers::emptiness_text(why));
    if (choice.count > 0 || !preferred || !host.independent_families) {
      const Outcome outcome = answer.chosen(choice, type);
      if (outcome == Outcome::NoData && preferred) note_preferred(host, type);
      return outcome == Outcome::NoData && Pinned::depends_on_client(host) ? Outcome::NoDataForView : outcome;
    }
  }
  const HostAnswer normal = dynamic(host, subject.owner);
  note_answer(normal);
  answers::Set set = normal.set;
  set.ttl = std::min(set.ttl, pinned.ttl());  // stays short while an endpoint there may come back
  const HostAnswer shorter{response_, host, set, subject.owner, context_.random, normal.seat, normal.tier};
  const Outcome outcome = shorter.addresses(type);
  if (outcome == Outcome::NoDataForView) note_family(shorter, type);
  return outcome;
}

void Resolver::note_preferred(const answers::Host& host, wire::Type type) noexcept {
  if (!response_.query().edns.present || !may_explain()) return;
  const bool v4 = type == wire::Type::A;
  const bool elsewhere = std::ranges::any_of(host.endpoints(), [&](const answers::EndpointRow& row) {
    return host.is_seen(seat_of(host), row) && (v4 ? host.traits(row).has_v4 : host.traits(row).has_v6);
  });
  if (!elsewhere) return;
  response_.explain(wire::Ede::Other, v4 ? "families together: no IPv4 address in the preferred place"
                                         : "families together: no IPv6 address in the preferred place");
}

const model::Locality& Resolver::seat_of(const answers::Host& host) noexcept {
  if (!Pinned::depends_on_client(host)) return kAnywhere;
  widen_scope(located().scope);
  return context_.table.where->localities[located().place];
}

void Resolver::note_last_resort() noexcept {
  context_.counters.last_resort.add();
  if (response_.query().edns.present && may_explain()) {
    response_.explain(wire::Ede::Other, "last-resort: nothing serves there");
  }
}

Outcome Resolver::explain(const answers::Host& host, const Subject& subject) noexcept {
  if (!may_explain()) {
    refused_ = true;
    return Outcome::NoData;
  }
  const wire::Type type = response_.query().type;
  if (type != wire::Type::TXT && type != wire::Type::ANY) return Outcome::NoData;
  // an address that may be forged gets neither a long answer nor the work of making one
  if (!proven_) return Outcome::Truncated;
  const HostAnswer answer = dynamic(host, subject.owner);  // finds the scope, and the tier that this client has drawn
  widen_scope(response_.query().edns.subnet.source);
  const auto write = [&](const Line& line) {
    const std::size_t mark = response_.writer().position();
    response_.writer().txt(subject.owner, 0, line.bytes());
    return response_.count(Section::Answer, mark);
  };
  const auto lines = context_.table.explain(host, located().place);
  if (!context_.stream && lines.size() + 1 > kMostUdpExplainLines) return Outcome::Truncated;
  Line first;
  append_line_number(first, 1);
  append_client(first, context_.table, located(), context_.client, response_.query().edns.subnet);
  if (!write(first)) return Outcome::Truncated;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Line line;
    append_line_number(line, i + 2);
    append_pieces(line, lines[i], context_.now);
    if (!write(line)) return Outcome::Truncated;
  }
  if (!answer.set.spread) return Outcome::Answered;
  Line last;
  append_line_number(last, lines.size() + 2);
  last.append("drawn for this client now: tier ");
  last.append_number(host.tiers(answer.set)[answer.tier].number);
  return write(last) ? Outcome::Answered : Outcome::Truncated;
}

void Resolver::write_negative_soa(std::uint32_t most_ttl) noexcept {
  const std::uint32_t ttl = std::min({zone_->soa_ttl, zone_->minimum, most_ttl});  // RFC 9077
  const std::size_t mark = response_.writer().position();
  response_.writer().soa(wire::NameBytes(zone_->apex), ttl, soa_of(*zone_));
  if (!response_.count(Section::Authority, mark)) response_.truncate();
}

void Resolver::conclude(Outcome outcome) noexcept {
  if (refused_) {
    context_.counters.unexplained.add();
    response_.set_rcode(wire::Rcode::Refused);
    response_.explain(wire::Ede::Prohibited);
    response_.set_authoritative(false);
    return;
  }
  if (context_.table.stale || context_.stale) response_.explain(wire::Ede::StaleAnswer);
  const bool negative = outcome != Outcome::Answered && outcome != Outcome::Truncated;
  if (outcome == Outcome::NxDomain) response_.set_rcode(wire::Rcode::NxDomain);
  if (outcome == Outcome::Truncated) response_.truncate();
  if (negative) write_negative_soa(outcome == Outcome::NoDataForView ? kNegativeTtlOfViews : kMostDynamicTtl);
  if (located_ && located_->subnet_trusted) response_.set_scope(negative ? 0 : scope_);
}

}  // namespace meshdns::query
