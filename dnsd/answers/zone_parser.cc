#include "dnsd/answers/zone_parser.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/text.h"
#include "dnsd/answers/zone_text.h"
#include "dnsd/wire/name.h"

// clang-format off: last, because it redefines bool, true and false
#include <ldns/ldns.h>
// clang-format on

namespace meshdns::answers {
namespace {

constexpr std::uint32_t kDefaultTtl = 60;
constexpr std::uint32_t kNoTtl = 0xFFFFFFFF;    // stands for a missing TTL
constexpr std::uint32_t kMostTtl = 0x7FFFFFFF;  // greater values count as 0 (RFC 2181 8)

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

using Rdf = std::unique_ptr<ldns_rdf, Free>;

/// Parses a name; null = the text is not a name.
Rdf parsed_name(const std::string& text) { return Rdf(ldns_rdf_new_frm_str(LDNS_RDF_TYPE_DNAME, text.c_str())); }

/// The values that complete a record whose text leaves them out.
struct Surroundings {
  const ldns_rdf* origin = nullptr;
  std::uint32_t default_ttl = kDefaultTtl;
  ldns_rdf** owner = nullptr;  // owner of the record before, replaced by this one's; null = each record names its owner
};

/// Parses one record.
/// errors: what is wrong, without the text
Result<StaticRecord> record_of(const std::string& text, const Surroundings& around) {
  const auto wrong = [](std::string_view what) { return Error(Code::InvalidArgument, std::string(what)); };
  ldns_rr* raw = nullptr;
  const ldns_status status = ldns_rr_new_frm_str(&raw, text.c_str(), around.default_ttl, around.origin, around.owner);
  const std::unique_ptr<ldns_rr, Free> rr(raw);
  if (status != LDNS_STATUS_OK) return wrong(ldns_get_errorstr_by_id(status));
  if (ldns_rr_get_class(rr.get()) != LDNS_RR_CLASS_IN) return wrong("only class IN is served");
  if (ldns_rr_get_type(rr.get()) == LDNS_RR_TYPE_OPT) return wrong("this type is made by the server");
  if (ldns_rr_get_type(rr.get()) == LDNS_RR_TYPE_DNAME) return wrong("DNAME is not served");
  const auto type = static_cast<wire::Type>(ldns_rr_get_type(rr.get()));
  return StaticRecord{folded(ldns_rr_owner(rr.get())), type, ldns_rr_ttl(rr.get()), rdata_of(rr.get())};
}

/// Checks whether records can exist beside each other. Counts the records that it has checked.
class Company {
 public:
  explicit Company(const std::vector<std::string>& zones) : apexes_(apexes_of(zones)) {
    for (const auto& apex : apexes_) ++owners_[apex].others;  // its SOA and NS
  }

  /// Checks a record against all before it.
  /// returns: empty = it is good
  std::string problem_of(const StaticRecord& record) {
    const auto encloses = [&](const auto& apex) { return wire::is_at_or_below(record.owner, apex); };
    if (std::ranges::none_of(apexes_, encloses)) return "the name is in none of the zones";
    const bool apex = std::ranges::find(apexes_, record.owner) != apexes_.end();
    if (record.type == wire::Type::SOA) return problem_of_soa(record.owner, apex);
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
    bool soa = false;  // a SOA that somebody has written
  };

  std::string problem_of_soa(const std::vector<std::uint8_t>& owner, bool apex) {
    if (!apex) return "SOA only at a zone's apex";
    return std::exchange(owners_[owner].soa, true) ? "a zone has one SOA" : "";
  }

  std::vector<std::vector<std::uint8_t>> apexes_;
  std::map<std::vector<std::uint8_t>, Count> owners_;
};

/// Reads the entries of a master file in order: origin, TTL and owner go on from one entry to the next.
class FileReader {
 public:
  explicit FileReader(const std::string& origin) : origin_text_(origin + "."), origin_(parsed_name(origin_text_)) {}
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  ~FileReader() { ldns_rdf_deep_free(owner_); }

  /// Reads one entry.
  /// record: set unless the entry is a directive
  /// returns: what is wrong; empty = nothing
  std::string read(const std::string& text, std::optional<StaticRecord>& record) {
    if (text.front() == '$') return directive(text);
    const bool unnamed = text.front() == ' ' || text.front() == '\t';
    if (unnamed && owner_ == nullptr) return "a record without a name, and there is none before it";
    auto read = record_of(text, {origin_.get(), kNoTtl, &owner_});
    if (!read) return read.error().message();
    if (read->ttl == kNoTtl) read->ttl = ttl_.value_or(last_ttl_);
    if (read->ttl > kMostTtl) read->ttl = 0;
    last_ttl_ = read->ttl;
    record = std::move(*read);
    return {};
  }

 private:
  std::string directive(const std::string& text) {
    std::vector<std::string> words;
    for (const std::string_view word : split(text, ' ')) {
      for (const std::string_view part : split(word, '\t')) {
        if (!part.empty()) words.emplace_back(part);
      }
    }
    const std::string name = ascii_lower(words.front());
    if (name != "$origin" && name != "$ttl") return words.front() + " is not read: only $ORIGIN and $TTL are";
    if (words.size() != 2) return words.front() + " takes one value";
    return name == "$ttl" ? set_ttl(words[1]) : set_origin(words[1]);
  }

  std::string set_ttl(const std::string& text) {
    const char* end = nullptr;
    const std::uint32_t ttl = ldns_str2period(text.c_str(), &end);
    if (*end != '\0' || text.front() < '0' || text.front() > '9') return "no TTL: " + text;
    ttl_ = ttl > kMostTtl ? 0 : ttl;
    return {};
  }

  std::string set_origin(const std::string& text) {
    std::string whole = text == "@" ? origin_text_ : text;
    if (!whole.ends_with('.')) whole += origin_text_ == "." ? "." : "." + origin_text_;
    Rdf name = parsed_name(whole);
    if (!name) return "no name: " + text;
    origin_ = std::move(name);
    origin_text_ = std::move(whole);
    return {};
  }

  std::string origin_text_;  // with a dot at the end
  Rdf origin_;
  ldns_rdf* owner_ = nullptr;  // owner of the record before; ldns replaces it
  std::optional<std::uint32_t> ttl_;
  std::uint32_t last_ttl_ = kDefaultTtl;
};

}  // namespace

Result<StaticRecord> parse_record(std::string_view line, std::string_view origin, std::uint32_t default_ttl) {
  if (line.starts_with('$')) return bad_record(line, "directives are not read here");
  const Rdf base = parsed_name(std::string(origin) + ".");
  auto record = record_of(std::string(line), {base.get(), default_ttl, nullptr});
  if (!record) return bad_record(line, record.error().message());
  if (record->type == wire::Type::SOA) return bad_record(line, "this type is made by the server");
  return record;
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

ReadFile read_zone_file(std::string_view text, const std::vector<std::string>& zones,
                        const std::vector<StaticRecord>& beside) {
  ReadFile out;
  Company company(zones);
  for (const StaticRecord& record : beside) company.problem_of(record);
  FileReader reader(zones.empty() ? "" : zones.front());
  ZoneText entries(text);
  ZoneEntry entry;
  while (entries.next(entry)) {
    std::string problem = entry.problem;
    std::optional<StaticRecord> record;
    if (problem.empty()) problem = reader.read(entry.text, record);
    if (problem.empty() && record) problem = company.problem_of(*record);
    if (!problem.empty()) {
      out.bad.push_back({entry.line, std::move(problem)});
    } else if (record) {
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
