#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/time/time.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// One message for any number of subscribers, encoded once.
using EncodedReply = std::shared_ptr<const std::string>;

/// One batch on its way to any number of subscribers, encoded part by part.
///
/// How it works: a source hands over one complete record or removal after the other. A part takes what fits; the piece
/// that does not fit opens the next part, so no part is ever changed after it was closed, and a part that has only one
/// piece may be larger than the limit. A part is encoded when the first reader asks for it. Readers may join for a
/// short time after the beginning; later a part is dropped as soon as all readers have taken it. So a fill of a million
/// records holds few parts, not all of them, and costs the control thread one part at a time. At most kMostHeldParts
/// are held: a reader that is so far behind the fastest one has lost the transfer, and has to begin another one.
///
/// A record may be encoded long after the transfer began, and is then newer than to(). That is right: the subscriber
/// goes on with a delta from to(), which tells that record again, and everything that was removed meanwhile.
/// thread: control
class Transfer {
 public:
  using Piece = std::variant<v1::Record, v1::Removal>;
  /// Returns the next piece as it is now; nothing = the batch is complete.
  using Source = std::function<std::optional<Piece>(TimePoint now)>;

  static constexpr std::size_t kMostHeldParts = 16;

  struct Limits {
    std::size_t part_bytes = 0;    // how many bytes the pieces of one part may have
    TimePoint shared_until{};      // until then further readers may join
    std::size_t source_bytes = 0;  // what the source holds, about
  };

  /// head: the batch without records; its `buckets` go with the first part only
  Transfer(v1::Batch head, Source source, Limits limits);

  std::uint64_t to() const { return head_.to(); }
  bool additive() const { return head_.additive(); }
  bool may_join(TimePoint now) const { return !sealed_ && now <= limits_.shared_until; }
  bool is_read() const { return readers_ > 0; }
  /// What the source holds in memory, about.
  std::size_t source_bytes() const { return limits_.source_bytes; }
  /// Nobody joins any more: parts which all readers have taken can go.
  void seal();
  /// How many encoded parts are held at the moment.
  std::size_t held_parts() const;

  /// Reads one transfer from its first part. The transfer lives as long as one of its readers.
  class Reader {
   public:
    /// requires: the transfer is new, or may_join()
    explicit Reader(std::shared_ptr<Transfer> transfer);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// The next part is gone, because others are far ahead.
    bool lost() const;
    /// Returns the next part. requires: !done(), !lost()
    EncodedReply next(TimePoint now);
    /// The last part was taken.
    bool done() const;
    const Transfer& transfer() const { return *transfer_; }

   private:
    std::shared_ptr<Transfer> transfer_;
    std::size_t next_ = 0;
  };

 private:
  struct Part {
    EncodedReply bytes;     // null = all readers have taken it
    std::size_t taken = 0;  // by how many readers
  };

  void encode_next(TimePoint now);
  /// Drops parts beyond kMostHeldParts, whoever has not read them.
  void drop_oldest();
  void release(Part& part) const;

  v1::Batch head_;
  Source source_;
  Limits limits_;
  std::optional<Piece> carried_;  // it did not fit into the part before
  std::vector<Part> parts_;
  std::size_t oldest_ = 0;  // the first part that may be held
  std::size_t readers_ = 0;
  bool complete_ = false;  // the last part is encoded
  bool sealed_ = false;
};

}  // namespace meshdns::federation
