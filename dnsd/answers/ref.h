#pragma once

#include <compare>
#include <cstdint>
#include <utility>

namespace meshdns::answers {

/// Counts the references to an immutable part that tables share. Not atomic: one thread creates and destroys all
/// tables; DNS workers read through them and never touch the count.
class Shared {
 protected:
  Shared() = default;
  ~Shared() = default;
  Shared(const Shared&) : references_(0) {}
  Shared& operator=(const Shared&) = delete;

 private:
  template <class T>
  friend class Ref;
  mutable std::uint32_t references_ = 0;
};

/// A counted reference to a shared part, which lives as long as any Ref to it.
/// requires: T derives from Shared
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(const T* part) noexcept : part_(part) {
    if (part_ != nullptr) ++part_->references_;
  }
  Ref(const Ref& other) noexcept : Ref(other.part_) {}
  Ref(Ref&& other) noexcept : part_(std::exchange(other.part_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(part_, other.part_);
    return *this;
  }
  ~Ref() {
    if (part_ != nullptr && --part_->references_ == 0) delete part_;
  }

  const T* get() const noexcept { return part_; }
  const T* operator->() const noexcept { return part_; }
  const T& operator*() const noexcept { return *part_; }
  explicit operator bool() const noexcept { return part_ != nullptr; }
  /// Returns whether this is the only reference.
  bool is_sole() const noexcept { return part_->references_ == 1; }
  /// Compares the identity of parts, not their content; the order has no meaning.
  friend auto operator<=>(const Ref&, const Ref&) = default;

 private:
  const T* part_ = nullptr;
};

}  // namespace meshdns::answers
