#include <array>

#include "dnsd/query/resolver.h"

// The part of Resolver that writes records which the table has in their final form.

namespace meshdns::query {
namespace {

constexpr std::uint32_t kHinfoTtl = 3600;

}  // namespace

Outcome Resolver::answer_any(const answers::Node& node, const Subject& subject, bool apex) noexcept {
  if (apex) return answer_apex_soa(subject);
  return node.rrsets.empty() ? Outcome::NoData : write_rrset(node.rrsets.front(), subject.owner);
}

Outcome Resolver::answer_apex_soa(const Subject& subject) noexcept {
  const std::size_t mark = response_.writer().position();
  response_.writer().soa(subject.owner, zone_->soa_ttl, soa_of(*zone_));
  return response_.count(Section::Answer, mark) ? Outcome::Answered : Outcome::Truncated;
}

Outcome Resolver::write_rrset(const answers::Rrset& rrset, std::uint16_t owner) noexcept {
  wire::Writer& writer = response_.writer();
  for (const auto& rdata : rrset.rdata) {
    const std::size_t mark = writer.position();
    const bool one_name =
        rrset.type == wire::Type::NS || rrset.type == wire::Type::CNAME || rrset.type == wire::Type::PTR;
    if (one_name) {
      writer.one_name(owner, rrset.type, rrset.ttl, wire::NameBytes(rdata));
    } else if (rrset.type == wire::Type::MX && rdata.size() > 2) {
      writer.mx(owner, rrset.ttl, rdata);
    } else {
      writer.generic(owner, rrset.type, rrset.ttl, rdata);
    }
    if (!response_.count(Section::Answer, mark)) return Outcome::Truncated;
  }
  if (rrset.type == wire::Type::NS) write_name_servers_addresses(rrset);
  return Outcome::Answered;
}

void Resolver::write_name_servers_addresses(const answers::Rrset& rrset) noexcept {
  wire::Writer& writer = response_.writer();
  for (const auto& target : rrset.rdata) {
    const answers::Node* node = context_.table.find(target, wire::hash_name(target)).node;
    if (node == nullptr) continue;
    for (const auto& entry : node->rrsets) {
      if (entry.type != wire::Type::A && entry.type != wire::Type::AAAA) continue;
      for (const auto& rdata : entry.rdata) {
        const std::size_t mark = writer.position();
        writer.generic(wire::NameBytes(target), entry.type, entry.ttl, rdata);
        if (!response_.count(Section::Additional, mark)) return;
      }
    }
  }
}

Outcome Resolver::write_cname(const answers::Rrset& rrset, std::uint16_t owner, NextName& next) noexcept {
  if (rrset.rdata.empty()) return Outcome::NoData;
  wire::Writer& writer = response_.writer();
  const std::size_t mark = writer.position();
  const wire::NameBytes target(rrset.rdata.front());
  writer.begin(owner, wire::Type::CNAME, rrset.ttl);
  next = {target, static_cast<std::uint16_t>(writer.position())};
  writer.name(target);
  writer.end();
  return response_.count(Section::Answer, mark) ? Outcome::Answered : Outcome::Truncated;
}

Outcome Resolver::write_hinfo(std::uint16_t owner) noexcept {
  static constexpr std::array<std::uint8_t, 9> kRdata = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};  // RFC 8482 4.2
  const std::size_t mark = response_.writer().position();
  response_.writer().generic(owner, wire::Type::HINFO, kHinfoTtl, kRdata);
  return response_.count(Section::Answer, mark) ? Outcome::Answered : Outcome::Truncated;
}

wire::SoaFields Resolver::soa_of(const answers::Zone& zone) const noexcept {
  const std::uint32_t serial = context_.table.serial_of(zone);
  return {zone.mname, zone.rname, serial, zone.refresh, zone.retry, zone.expire, zone.minimum};
}

}  // namespace meshdns::query
