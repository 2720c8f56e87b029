#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <unordered_set>
#include <utility>

namespace meshdns::model {

/// A container that is copied on write: copies of a Shared share one value until one of them is changed. A Shared reads
/// like the container, compares by value, and takes 16 bytes. An empty one allocates nothing.
/// thread: like a container; different threads may use copies that share a value
template <class T>
class Shared {
 public:
  using value_type = typename T::value_type;
  using const_iterator = typename T::const_iterator;

  Shared() = default;
  Shared(T value) { assign(std::move(value)); }  // NOLINT(google-explicit-constructor): a value
  Shared(std::initializer_list<value_type> values) : Shared(T(values)) {}
  Shared& operator=(std::initializer_list<value_type> values) { return *this = Shared(T(values)); }

  operator const T&() const { return get(); }  // NOLINT(google-explicit-constructor): it is the value
  const T& get() const { return value_ ? *value_ : nothing(); }

  bool empty() const { return get().empty(); }
  std::size_t size() const { return get().size(); }
  const_iterator begin() const { return get().begin(); }
  const_iterator end() const { return get().end(); }
  const auto& front() const { return get().front(); }
  const auto& operator[](std::size_t index) const { return get()[index]; }
  template <class Key>
  const auto& at(const Key& key) const {
    return get().at(key);
  }
  template <class Key>
  const_iterator find(const Key& key) const {
    return get().find(key);
  }
  template <class Key>
  bool contains(const Key& key) const {
    return get().contains(key);
  }

  /// Replaces the value by a copy of its own, and returns that copy to be changed. The reference must not be used after
  /// this Shared is copied: the copy would change too.
  T& edit() {
    auto own = std::make_shared<T>(get());
    T& out = *own;
    value_ = std::move(own);
    return out;
  }
  void clear() { value_.reset(); }
  void push_back(value_type value) { edit().push_back(std::move(value)); }

  friend bool operator==(const Shared& a, const Shared& b) { return a.value_ == b.value_ || a.get() == b.get(); }

 private:
  template <class, class>
  friend class SharedPool;

  static const T& nothing() {
    static const T empty;
    return empty;
  }
  void assign(T value) { value_ = value.empty() ? nullptr : std::make_shared<const T>(std::move(value)); }

  std::shared_ptr<const T> value_;
};

/// Lets equal Shared values share one allocation. Each owner of many such values has a pool of its own, so that there
/// is no global state.
/// HashOf: hashes a T; equal values have equal hashes
template <class T, class HashOf>
class SharedPool {
 public:
  /// Replaces `value` by the equal value of the pool. If the pool has none, `value` is added to the pool.
  void share(Shared<T>& value) {
    if (value.value_ == nullptr) return;
    value.value_ = *values_.insert(value.value_).first;
    if (values_.size() >= swept_at_) sweep();
  }
  std::size_t size() const { return values_.size(); }

 private:
  using Pointer = std::shared_ptr<const T>;
  struct Hash {
    std::size_t operator()(const Pointer& value) const { return HashOf()(*value); }
  };
  struct Equal {
    bool operator()(const Pointer& a, const Pointer& b) const { return *a == *b; }
  };
  static constexpr std::size_t kFewest = 1024;

  /// Drops the values that only the pool still holds. Runs each time the pool has doubled, so that the cost per value
  /// is constant.
  void sweep() {
    std::erase_if(values_, [](const Pointer& value) { return value.use_count() == 1; });
    swept_at_ = std::max(kFewest, 2 * values_.size());
  }

  std::unordered_set<Pointer, Hash, Equal> values_;
  std::size_t swept_at_ = kFewest;
};

}  // namespace meshdns::model
