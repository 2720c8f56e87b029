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

std::vector<std::vector<std::uint8_t>> apexes_of(const std::vector<std::string>& zones) {
  std::vector<std::vector<std::uint8_t>> out;
  for (const std::string& zone : zones) {
    if (auto apex = wire::parse_name(zone)) out.push_back(std::move(*apex));
  }
  return out;
}

Error bad_record(std::string_view line, std::string_view what) {
  return Error(Code::InvalidArgument, "\"" + std::string(line) + "\": " + std::string(what));
}

/// Whether a record can stand with the others; counts it.
class Company {
 public:
  explicit Company(const std::vector<std::string>& zones) : apexes_(apexes_of(zones)) {
    for (const auto& apex : apexes_) ++owners_[apex].others;  // its SOA and NS
  }

  /// Empty = it can.
  std::string problem_of(const StaticRecord& record) {
    const auto encloses = [&](const auto& apex) { return wire::is_at_or_below(record.owner, apex); };
    if (std::ranges::none_of(apexes_, encloses)) return "the name is in none of the zones";
    const bool apex = std::ranges::find(apexes_, record.owner) != apexes_.end();
    if (record.type == wire::Type::NS && !apex) return "delegations are not served: NS only at a zone's apex";
    Count& count = owners_[record.owner];
    ++(record.type == wire::Type::CNAME ? count.aliases : count.others);
    const bool crowded = count.aliases > 1 || (count.aliases == 1 && count.others > 0);
    return crowded ? "a CNAME stands alone at its name (RFC 1034 3.6.2)" : "";
  }

 private:
  struct Count {
    int aliases = 0;
    int others = 0;
  };
  std::vector<std::vector<std::uint8_t>> apexes_;
  std::map<std::vector<std::uint8_t>, Count> owners_;
};

}  // namespace

Result<StaticRecord> parse_record(std::string_view line, std::string_view origin, std::uint32_t default_ttl) {
  if (line.starts_with('$')) return bad_record(line, "directives are not read here");
  const std::unique_ptr<ldns_rdf, Free> base(
      ldns_rdf_new_frm_str(LDNS_RDF_TYPE_DNAME, (std::string(origin) + ".").c_str()));
  ldns_rr* raw = nullptr;
  const ldns_status status = ldns_rr_new_frm_str(&raw, std::string(line).c_str(), default_ttl, base.get(), nullptr);
  const std::unique_ptr<ldns_rr, Free> rr(raw);
  if (status != LDNS_STATUS_OK) return bad_record(line, ldns_get_errorstr_by_id(status));
  if (ldns_rr_get_class(rr.get()) != LDNS_RR_CLASS_IN) return bad_record(line, "only class IN is served");
  const auto type = static_cast<wire::Type>(ldns_rr_get_type(rr.get()));
  if (type == wire::Type::SOA || type == wire::Type::OPT) return bad_record(line, "this type is made by the server");
  if (ldns_rr_get_type(rr.get()) == LDNS_RR_TYPE_DNAME) return bad_record(line, "DNAME is not served");
  return StaticRecord{folded(ldns_rr_owner(rr.get())), type, ldns_rr_ttl(rr.get()), rdata_of(rr.get())};
}

ReadLines read_records(const std::vector<std::string>& lines, const std::vector<std::string>& zones) {
  ReadLines out;
  Company company(zones);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto record = parse_record(lines[i], zones.empty() ? "" : zones.front(), kDefaultTtl);
    if (!record) {
      out.bad.push_back({i, record.error().message()});
    } else if (const std::string problem = company.problem_of(*record); !problem.empty()) {
      out.bad.push_back({i, bad_record(lines[i], problem).message()});
    } else {
      out.records.push_back(std::move(*record));
    }
  }
  return out;
}

Result<std::vector<StaticRecord>> parse_records(const std::vector<std::string>& lines,
                                                const std::vector<std::string>& zones) {
  if (!lines.empty() && zones.empty()) return Error(Code::InvalidArgument, "static records without a zone");
  ReadLines read = read_records(lines, zones);
  if (!read.bad.empty()) return Error(Code::InvalidArgument, read.bad.front().what);
  return std::move(read.records);
}

}  // namespace meshdns::answers
