#include "agent/discovery/registrations.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "common/base/durable_file.h"
#include "common/base/hint.h"
#include "common/base/private_folder.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"

namespace meshdns::discovery {
namespace {

using What = RegistrationChange::What;

constexpr const char* kComment =
    "# Endpoints registered by `meshdns-agent register`, in the form of endpoints.d. The agent replaces this file.\n";

std::string first_line(const std::string& text) { return std::string(split(text, '\n').front()); }

/// Returns what a user calls the endpoint: its key, or the service of an entry that cannot be read.
std::string name_of(const Registration& entry) { return entry.found ? entry.found->key : entry.line.service; }

Discovered local(Discovered found) {
  found.endpoint.source = kLocalSource;
  return found;
}

/// Returns the key that two of the endpoints have; empty = there is none.
std::string doubled_key(const std::vector<Discovered>& endpoints) {
  std::set<std::string> keys;
  for (const Discovered& found : endpoints) {
    if (!keys.insert(found.key).second) return found.key;
  }
  return {};
}

}  // namespace

Registrations::Registrations(std::string path, Defaults defaults, RegistrationLimits limits)
    : path_(std::move(path)), defaults_(std::move(defaults)), limits_(limits) {}

void Registrations::load() {
  const auto text = read_file(path_);
  if (!text && text.error().code() == Code::NotFound) {
    error_.clear();
    return take({});
  }
  auto entries = text ? read(*text) : Result<std::vector<Registration>>(text.error());
  if (!entries) {
    const std::string& why = entries.error().message();
    error_ = why.starts_with(path_) ? why : path_ + ": " + why;
    return;
  }
  error_.clear();
  take(std::move(*entries));
}

void Registrations::set_defaults(Defaults defaults) {
  defaults_ = std::move(defaults);
  std::vector<Registration> again;
  for (const Registration& entry : entries_) again.push_back(entry_of(entry.line));
  take(std::move(again));
}

/// Reads the whole text at once if it is right, which is the normal case and much faster than line by line.
Result<std::vector<Registration>> Registrations::read(const std::string& text) const {
  auto lines = config::endpoint_lines(text, limits_.entry_bytes);
  if (!lines) return lines.error();
  const auto found = read_endpoints(text, path_, defaults_);
  std::vector<Registration> out;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    if (found && found->size() == lines->size()) {
      out.push_back({std::move((*lines)[i]), local((*found)[i]), ""});
    } else {
      out.push_back(entry_of(std::move((*lines)[i])));
    }
  }
  return out;
}

Registration Registrations::entry_of(config::EndpointLine line) const {
  const auto found = read_endpoints(config::endpoints_text("", {line}), "", defaults_);
  if (found) return {std::move(line), local(found->at(0)), ""};
  const config::Problem& problem = found.error().front();
  const std::string what = (problem.path.empty() ? "" : problem.path + ": ") + problem.what;
  const std::string name = line.service.empty() ? "an entry" : line.service;
  return {std::move(line), std::nullopt, path_ + ": " + name + " cannot be read: " + first_line(what)};
}

void Registrations::take(std::vector<Registration> entries) {
  entries_ = std::move(entries);
  endpoints_.clear();
  doubled_.clear();
  std::set<std::string> keys;
  for (const Registration& entry : entries_) {
    if (!entry.found) continue;
    if (keys.insert(entry.found->key).second) {
      endpoints_.push_back(*entry.found);
    } else {
      doubled_.push_back(entry.found->key);
    }
  }
}

Result<void> Registrations::recover() {
  if (!error_.empty()) load();
  if (error_.empty()) return {};
  return Error(Code::FailedPrecondition,
               error_ + "; correct this file or move it away, otherwise what it lists would be lost");
}

Result<void> Registrations::replace(std::vector<Registration> entries) {
  std::vector<config::EndpointLine> lines;
  for (const Registration& entry : entries) lines.push_back(entry.line);
  if (auto made = make_private_folder(std::filesystem::path(path_).parent_path()); !made) return made;
  if (auto written = replace_file(path_, config::endpoints_text(kComment, lines)); !written) return written;
  take(std::move(entries));
  return {};
}

Result<RegistrationChanges> Registrations::put(const std::string& text, const std::string& file, const Owner& owner) {
  if (auto readable = recover(); !readable) return readable.error();
  auto given = read_endpoints(text, file, defaults_);
  if (!given) return Error(Code::InvalidArgument, config::problems_text(given.error()));
  auto lines = config::endpoint_lines(text, limits_.entry_bytes);
  if (!lines) return lines.error().with_context(file);
  const std::string doubled = doubled_key(*given);
  if (!doubled.empty()) return Error(Code::InvalidArgument, file + ": " + doubled + " is there twice");
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < entries_.size(); ++i) known.emplace(name_of(entries_[i]), i);
  auto next = entries_;
  RegistrationChanges changes;
  for (std::size_t i = 0; i < given->size(); ++i) {
    Registration entry{std::move(lines->at(i)), local(std::move((*given)[i])), ""};
    const std::string key = entry.found->key;
    const std::string other = owner(key);
    if (!other.empty()) return Error(Code::AlreadyExists, key + " is listed by the source " + other + " already");
    const auto at = known.find(key);
    if (at == known.end()) {
      changes.push_back({key, What::Registered});
      next.push_back(std::move(entry));
    } else {
      changes.push_back({key, next[at->second] == entry ? What::Unchanged : What::Changed});
      next[at->second] = std::move(entry);
    }
  }
  if (next.size() > limits_.entries) {
    return Error(Code::ResourceExhausted, "more than " + counted(limits_.entries, "registration"));
  }
  if (next == entries_) return changes;
  if (auto done = replace(std::move(next)); !done) return done.error();
  return changes;
}

Result<RegistrationChanges> Registrations::remove(const std::string& target, const Owner& owner) {
  if (auto readable = recover(); !readable) return readable.error();
  std::vector<Registration> next;
  RegistrationChanges changes;
  std::vector<std::string> names;
  for (const Registration& entry : entries_) {
    if (entry.line.service == target || name_of(entry) == target) {
      changes.push_back({name_of(entry), What::Removed});
    } else {
      next.push_back(entry);
      names.push_back(entry.line.service);
      names.push_back(name_of(entry));
    }
  }
  if (changes.empty()) {
    const std::string other = owner(target);
    if (!other.empty()) {
      return Error(Code::NotFound, target + " is not registered: it is listed by the source " + other);
    }
    return Error(Code::NotFound, target + " is not registered" + hint(did_you_mean(target, names)));
  }
  if (auto done = replace(std::move(next)); !done) return done.error();
  return changes;
}

SourceState Registrations::state() const {
  SourceState out{.listed = error_.empty(), .error = error_};
  const auto add = [&](const std::string& problem) { out.error += (out.error.empty() ? "" : "\n") + problem; };
  for (const Registration& entry : entries_) {
    if (entry.found) continue;
    out.listed = false;
    add(entry.problem);
  }
  for (const std::string& key : doubled_) add(path_ + ": " + key + " is registered twice; only the first counts");
  return out;
}

}  // namespace meshdns::discovery
