#include "dnsd/ctl/ca_view.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/identity/rules.h"
#include "common/time/duration_text.h"
#include "common/time/time_text.h"

namespace meshdns::ctl {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
constexpr std::int64_t kLongest = std::int64_t{100} * 365 * 86400;  // seconds; a Duration holds them

/// Where a certificate of each role is used.
struct Use {
  identity::Role role;
  std::string_view file;   // of the configuration
  std::string_view place;  // in it
  std::string_view authority_key;
};
constexpr std::array kUses = {
    Use{identity::Role::Node, "agent.yaml", "federation", "ca"},
    Use{identity::Role::Dns, "meshdnsd.yaml of the replica", "replica", "ca"},
    Use{identity::Role::Federation, "meshdnsd.yaml of the federation", "federation", "client_ca"}};

/// Returns the name of a file without its folder, as YAML needs it.
std::string name_in(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  if (name.find_first_not_of(kPlain) == std::string::npos) return name;
  std::string out;
  append_quoted(out, name, [](std::string_view, const PrintableEscape& escape) { return std::string(escape.view()); });
  return out;
}

std::string use_text(const Use& use, const Issued& issued) {
  return "copy them and " + issued.authority + " to the folder of " + std::string(use.file) + ", and add:\n" +
         std::string(use.place) + ":\n  tls: {certificate: " + name_in(issued.certificate) +
         ", key: " + name_in(issued.key) + ", " + std::string(use.authority_key) + ": " + name_in(issued.authority) +
         "}\n";
}

std::string command_text(const Issued& issued) {
  return "copy them and " + issued.authority +
         " to whoever it is, who then calls:\nmeshdnsctl --server HOST:7400 --ca " + name_in(issued.authority) +
         " --certificate " + name_in(issued.certificate) + " --key " + name_in(issued.key) + " status\n";
}

std::string labelled(std::string_view label, const std::string& value) {
  constexpr std::size_t kWidth = 11;
  return "  " + std::string(label) + std::string(kWidth - label.size(), ' ') + value + "\n";
}

std::string remaining_text(const authority::Description& certificate, std::int64_t unix_seconds) {
  const auto length = [](std::int64_t seconds) {
    return age_text(std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLongest)));
  };
  if (unix_seconds < certificate.not_before) return "not valid yet";
  if (unix_seconds < certificate.not_after) return length(certificate.not_after - unix_seconds) + " left";
  return "expired " + length(unix_seconds - certificate.not_after) + " ago";
}

}  // namespace

std::string issued_view(const Issued& issued) {
  const std::string head = identity::text(issued.identity) + ": " + issued.certificate + " and " + issued.key +
                           ", until " + time_text(issued.until) + "\n";
  const auto* use = std::ranges::find(kUses, issued.identity.role, &Use::role);
  return head + (use == kUses.end() ? command_text(issued) : use_text(*use, issued));
}

std::string certificate_view(const authority::Description& certificate, std::string_view note,
                             std::int64_t unix_seconds) {
  std::string out = owner_text(certificate) + std::string(note) + "\n";
  for (const std::string& uri : certificate.uris) out += labelled("uri", printable(uri));
  if (!certificate.addresses.empty()) out += labelled("addresses", printable(join(certificate.addresses, ", ")));
  out += labelled("subject", printable(certificate.subject));
  out += labelled("valid", time_text(certificate.not_before) + " to " + time_text(certificate.not_after) + " (" +
                               remaining_text(certificate, unix_seconds) + ")");
  out += labelled("serial", certificate.serial);
  return out + labelled("key", "sha256:" + certificate.key_hash);
}

std::string owner_text(const authority::Description& certificate) {
  if (certificate.is_authority) {
    const bool named = certificate.uris.size() == 1 && certificate.uris.front().starts_with(kScheme);
    return "authority of " + printable(named ? certificate.uris.front().substr(kScheme.size()) : certificate.subject);
  }
  const auto rules = identity::Rules::make({}, "");
  if (!rules) return printable(rules.error().message());
  const auto found = rules->identify(certificate.uris);
  return found ? identity::text(*found) : "nobody: " + printable(found.error().message());
}

}  // namespace meshdns::ctl
