#include "dnsd/resources/follower.h"

#include <utility>

namespace meshdns::resources {
namespace {

bool is_of(const Kind& kind, const std::string& key) { return key.starts_with(std::string(kind.own_name) + "/"); }

}  // namespace

void Follower::begin(const Kind& kind) { told_[kind.own_name].clear(); }

std::string Follower::take(const Kind& kind, const kubernetes::Event& event) {
  auto read = read_resource(kind, event.object);
  if (!read) {
    ++unreadable_;
    return "";
  }
  const std::string key = read->key;
  if (event.type == kubernetes::EventType::Deleted) {
    if (const auto list = told_.find(kind.own_name); list != told_.end()) list->second.erase(key);
    forget(key);
    return key;
  }
  if (const auto list = told_.find(kind.own_name); list != told_.end()) list->second.insert(key);
  erase_.erase(key);
  Entry& entry = entries_[key];
  const bool same = entry.resource.written == read->written && entry.resource.uid == read->uid;
  entry.resource = *std::move(read);
  if (same) return key;
  auto object = read_object(entry.resource);
  if (!object) {
    put_.erase(key);
    refuse(entry, object.error().message());
    return key;
  }
  put_[key] = *std::move(object);
  return key;
}

void Follower::listed(const Kind& kind, const std::vector<std::string>& known) {
  const auto list = told_.extract(kind.own_name);
  listed_.insert(kind.own_name);
  if (list.empty()) return;
  std::vector<std::string> gone;
  for (const auto& [key, entry] : entries_) {
    if (is_of(kind, key) && !list.mapped().contains(key)) gone.push_back(key);
  }
  for (const std::string& key : known) {
    if (is_of(kind, key) && !list.mapped().contains(key)) gone.push_back(key);
  }
  for (const std::string& key : gone) forget(key);
}

void Follower::forget(const std::string& key) {
  entries_.erase(key);
  put_.erase(key);
  refused_.erase(key);
  erase_.insert(key);
}

Follower::Changes Follower::take_changes(std::size_t most) {
  Changes out;
  while (out.put.size() < most && !put_.empty()) out.put.push_back(std::move(put_.extract(put_.begin()).mapped()));
  const auto erase = std::exchange(erase_, {});
  out.erase.assign(erase.begin(), erase.end());
  return out;
}

void Follower::settled(const std::string& key, const std::string& problem, Why why) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  if (!problem.empty()) return refuse(found->second, problem, why);
  found->second.problem.clear();
  found->second.taken_generation = found->second.resource.generation;
  refused_.erase(key);
}

void Follower::check_refused() {
  for (const std::string& key : refused_) {
    auto object = read_object(entries_.at(key).resource);
    if (object) put_[key] = *std::move(object);
  }
}

void Follower::refuse(Entry& entry, const std::string& problem, Why why) {
  entry.problem = problem;
  entry.why = why;
  refused_.insert(entry.resource.key);
}

std::size_t Follower::refusals() const { return refused_.size(); }

}  // namespace meshdns::resources
