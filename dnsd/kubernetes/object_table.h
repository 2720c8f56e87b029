#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "common/base/printable.h"
#include "common/kubernetes/events.h"
#include "dnsd/kubernetes/objects.h"

namespace meshdns::kubernetes {

/// The objects of one kind, by uid, kept equal to what an informer tells. Pure.
///
/// How it works: an initial list only adds and replaces. The objects that it does not name are removed when it is
/// complete, so that a list which breaks off, takes minutes or begins again withdraws nothing. An object that cannot be
/// read leaves its last version in place, and is a problem until a readable version comes or the object goes.
///
/// Object: has a member `uid`, and can be compared
template <class Object>
class ObjectTable {
 public:
  using Read = Result<Object> (*)(const boost::json::object&);
  /// Called with each change; null = there was, or is, no object. The pointers are valid during the call.
  using Changed = std::function<void(const Object* before, const Object* now)>;

  ObjectTable(Read read, Changed changed) : read_(read), changed_(std::move(changed)) {}

  void take(const Notice& notice) {
    if (std::holds_alternative<Begin>(notice)) {
      seen_.clear();
      lists_ = true;
      saw_unknown_ = false;
    } else if (const auto* event = std::get_if<Event>(&notice)) {
      apply(*event);
    } else {
      listed();
    }
  }

  /// Whether an initial list has been complete since the start, so that an object which is missing here does not exist.
  bool is_listed() const { return is_listed_; }
  /// Returns an object; null = there is none.
  const Object* find(const std::string& uid) const {
    const auto found = objects_.find(uid);
    return found == objects_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return objects_.size(); }
  /// Calls `see` with each object, in no order.
  template <class See>
  void each(See see) const {
    for (const auto& [uid, object] : objects_) see(object);
  }
  /// Why objects could not be read, by uid: "shop/web: spec: expected an object (got a text)".
  const std::map<std::string, std::string>& problems() const { return problems_; }
  /// Counts the changes of problems().
  std::uint64_t problem_changes() const { return problem_changes_; }

 private:
  void apply(const Event& event) {
    const std::string uid = uid_in(event.object);
    if (uid.empty()) saw_unknown_ = true;
    if (event.type == EventType::Deleted && !uid.empty()) return remove(uid);
    if (lists_) seen_.insert(uid);
    auto object = read_(event.object);
    if (!object) {
      set_problem(uid, printable(title_of(event.object)) + ": " + object.error().message());
      return;
    }
    solved(uid);
    put(uid, std::move(*object));
  }

  void set_problem(const std::string& uid, std::string problem) {
    std::string& known = problems_[uid];
    if (known == problem) return;
    known = std::move(problem);
    ++problem_changes_;
  }
  void solved(const std::string& uid) { problem_changes_ += problems_.erase(uid); }

  void put(const std::string& uid, Object object) {
    const auto found = objects_.find(uid);
    if (found == objects_.end()) {
      const auto at = objects_.emplace(uid, std::move(object)).first;
      return changed_(nullptr, &at->second);
    }
    if (found->second == object) return;
    const Object before = std::exchange(found->second, std::move(object));
    changed_(&before, &found->second);
  }

  void remove(const std::string& uid) {
    solved(uid);
    const auto gone = objects_.extract(uid);
    if (gone) changed_(&gone.mapped(), nullptr);
  }

  // An object without a uid may be any of those that the list did not name. Then all of them stay until the next list.
  void listed() {
    if (!saw_unknown_) {
      problem_changes_ += std::erase_if(problems_, [this](const auto& entry) { return !seen_.contains(entry.first); });
      std::set<std::string> gone;
      for (const auto& [uid, object] : objects_) {
        if (!seen_.contains(uid)) gone.insert(uid);
      }
      for (const std::string& uid : gone) remove(uid);
    }
    is_listed_ = true;
    lists_ = false;
    seen_.clear();
  }

  const Read read_;
  const Changed changed_;
  std::unordered_map<std::string, Object> objects_;
  std::map<std::string, std::string> problems_;
  std::uint64_t problem_changes_ = 0;
  std::set<std::string> seen_;  // uids of the initial list that is under way
  bool lists_ = false;
  bool saw_unknown_ = false;  // the list had an object without a uid
  bool is_listed_ = false;
};

}  // namespace meshdns::kubernetes
