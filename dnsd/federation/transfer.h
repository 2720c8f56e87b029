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

/// One message, encoded once for any number of replicas.
using EncodedReply = std::shared_ptr<const std::string>;

/// One batch on its way to any number of replicas, encoded part by part. Made by Feed, read by WatchSession.
///
/// How it works: a source hands over one complete record or removal after the other. A part takes the pieces that fit.
/// The piece that does not fit opens the next part, so a closed part is never changed; a part with a single piece may
/// exceed the limit. A part is encoded when the first reader asks for it. Readers may join for a short time after the
/// beginning; after that a part is dropped as soon as all readers have taken it. So a fill of a million records holds
/// a few parts, not all of them, and costs the control thread one part at a time. At most kMostHeldParts are held: a
/// reader that falls behind the fastest one by more has lost the transfer and has to begin another one.
///
///   dropped [0][1]   held [2][3][4]   not encoded yet 5, 6, ...
///                          ^ slow      ^ fast reader: its next() encodes part 5
///
/// A record may be encoded long after the transfer began, and is then newer than to(). That is right: the replica goes
/// on with a delta from to(), which contains that record again, and everything that was removed meanwhile.
/// thread: control
class Transfer {
 public:
  using Piece = std::variant<v1::Record, v1::Removal>;
  /// Returns the next piece, as the record is now; nothing = the batch is complete.
  using Source = std::function<std::optional<Piece>(TimePoint now)>;

  static constexpr std::size_t kMostHeldParts = 16;

  struct Limits {
    std::size_t part_bytes = 0;    // the pieces of one part, encoded
    TimePoint shared_until{};      // until then further readers may join; zero = none may
    std::size_t source_bytes = 0;  // memory that the source holds, about
  };

  /// head: the batch without records; its `buckets` go out with the first part only
  Transfer(v1::Batch head, Source source, Limits limits);

  std::uint64_t to() const { return head_.to(); }
  bool additive() const { return head_.additive(); }
  bool may_join(TimePoint now) const { return !sealed_ && now <= limits_.shared_until; }
  bool is_read() const { return readers_ > 0; }
  /// The bytes of memory that the source holds, about.
  std::size_t source_bytes() const { return limits_.source_bytes; }
  /// Lets no reader join any more, and drops the parts that all readers have taken.
  void seal();
  /// The number of encoded parts that are held now.
  std::size_t held_parts() const;

  /// Reads one transfer from its first part. The transfer lives as long as one of its readers.
  class Reader {
   public:
    /// requires: the transfer is new, or may_join()
    explicit Reader(std::shared_ptr<Transfer> transfer);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// Returns whether the next part was dropped because other readers are far ahead.
    bool lost() const;
    /// Returns the next part, and encodes it if this is the first reader to ask.
    /// requires: !done(), !lost()
    EncodedReply next(TimePoint now);
    /// Returns whether the reader has taken the last part.
    bool done() const;
    const Transfer& transfer() const { return *transfer_; }

   private:
    std::shared_ptr<Transfer> transfer_;
    std::size_t next_ = 0;
  };

 private:
  struct Part {
    EncodedReply bytes;     // null = dropped
    std::size_t taken = 0;  // readers that have taken it
  };

  void encode_next(TimePoint now);
  /// Drops the oldest part if more than kMostHeldParts are held, even if a reader has not taken it.
  void drop_oldest();
  void release(Part& part) const;

  v1::Batch head_;
  Source source_;
  Limits limits_;
  std::optional<Piece> carried_;  // the piece that did not fit into the previous part
  std::vector<Part> parts_;
  std::size_t oldest_ = 0;  // the first part that may be held
  std::size_t readers_ = 0;
  bool complete_ = false;  // the last part is encoded
  bool sealed_ = false;
};

}  // namespace meshdns::federation
