#include "dnsd/answers/zone_parser.h"

#include <algorithm>
#include <map>
#include <memory>

#include "dnsd/wire/name.h"

// clang-format off: last, because it redefines bool, true and false
#include <ldns/ldns.h>
// clang-format on

namespace meshdns::answers {
namespace {

constexpr std::uint32_t kDefaultTtl = 60;

struct Free {
  void operator()(ldns_rr* rr) const { ldns_rr_free(rr); }
  void operator()(ldns_rdf* rdf) const { ldns_rdf_deep_free(rdf); }
};

std::vector<std::uint8_t> folded(const ldns_rdf* name) {
  std::vector<std::uint8_t> bytes(ldns_rdf_data(name), ldns_rdf_data(name) + ldns_rdf_size(name));
  // length bytes are at most 63, below 'A': folding the whole name keeps them
  std::ranges::transform(bytes, bytes.begin(), [](std::uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + 32) : byte;
  });
  return bytes;
}

std::vector<std::uint8_t> rdata_of(const ldns_rr* rr) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) {
    const ldns_rdf* field = ldns_rr_rdf(rr, i);
    if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME) {
      const auto name = folded(field);
      bytes.insert(bytes.end(), name.begin(), name.end());
    } else {
      bytes.insert(bytes.end(), ldns_rdf_data(field), ldns_rdf_data(field) + ldns_rdf_size(field));
    }
  }
  return bytes;
}

bool is_below(const StaticRecord& record, const std::vector<std::string>& zones) {
  return std::ranges::any_of(zones, [&](const std::string& zone) {
    const auto apex = wire::parse_name(zone);
    return apex && wire::is_at_or_below(record.owner, *apex);
  });
}

}  // namespace

Result<StaticRecord> parse_record(std::string_view line, std::string_view origin, std::uint32_t default_ttl) {
  const std::unique_ptr<ldns_rdf, Free> base(
      ldns_rdf_new_frm_str(LDNS_RDF_TYPE_DNAME, (std::string(origin) + ".").c_str()));
  ldns_rr* raw = nullptr;
  const ldns_status status = ldns_rr_new_frm_str(&raw, std::string(line).c_str(), default_ttl, base.get(), nullptr);
  const std::unique_ptr<ldns_rr, Free> rr(raw);
  if (status != LDNS_STATUS_OK) {
    return Error(Code::InvalidArgument, "\"" + std::string(line) + "\": " + ldns_get_errorstr_by_id(status));
  }
  if (ldns_rr_get_class(rr.get()) != LDNS_RR_CLASS_IN) {
    return Error(Code::InvalidArgument, "\"" + std::string(line) + "\": only class IN is served");
  }
  const auto type = static_cast<wire::Type>(ldns_rr_get_type(rr.get()));
  if (type == wire::Type::SOA || type == wire::Type::OPT) {
    return Error(Code::InvalidArgument, "\"" + std::string(line) + "\": this type is made by the server");
  }
  return StaticRecord{folded(ldns_rr_owner(rr.get())), type, ldns_rr_ttl(rr.get()), rdata_of(rr.get())};
}

Result<std::vector<StaticRecord>> parse_records(const std::vector<std::string>& lines,
                                                const std::vector<std::string>& zones) {
  std::vector<StaticRecord> out;
  if (lines.empty()) return out;
  if (zones.empty()) return Error(Code::InvalidArgument, "static records without a zone");
  std::map<std::vector<std::uint8_t>, std::pair<int, int>> owners;  // CNAMEs, others
  for (const std::string& line : lines) {
    auto record = parse_record(line, zones.front(), kDefaultTtl);
    if (!record) return record.error();
    if (!is_below(*record, zones)) {
      return Error(Code::InvalidArgument, "\"" + line + "\": the name is in none of the zones");
    }
    auto& [aliases, others] = owners[record->owner];
    ++(record->type == wire::Type::CNAME ? aliases : others);
    if (aliases > 1 || (aliases == 1 && others > 0)) {
      return Error(Code::InvalidArgument, "\"" + line + "\": a CNAME stands alone at its name (RFC 1034 3.6.2)");
    }
    out.push_back(std::move(*record));
  }
  return out;
}

}  // namespace meshdns::answers
