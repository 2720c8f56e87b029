#include "dnsd/federation/transfer.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace meshdns::federation {
namespace {

std::size_t size_of(const Transfer::Piece& piece) {
  return std::visit([](const auto& message) { return message.ByteSizeLong(); }, piece);
}

void add(v1::Batch& batch, Transfer::Piece piece) {
  if (auto* record = std::get_if<v1::Record>(&piece)) {
    *batch.add_records() = std::move(*record);
  } else {
    *batch.add_removals() = std::move(std::get<v1::Removal>(piece));
  }
}

}  // namespace

Transfer::Transfer(v1::Batch head, Source source, Limits limits)
    : head_(std::move(head)), source_(std::move(source)), limits_(limits) {}

void Transfer::encode_next(TimePoint now) {
  v1::WatchReply reply;
  v1::Batch& batch = *reply.mutable_batch();
  batch = head_;
  batch.set_part(static_cast<std::uint32_t>(parts_.size()));
  std::size_t bytes = 0;
  std::optional<Piece> piece = carried_ ? std::exchange(carried_, std::nullopt) : source_(now);
  while (piece) {
    const std::size_t size = size_of(*piece);
    if (bytes > 0 && bytes + size > limits_.part_bytes) break;
    bytes += size;
    add(batch, *std::move(piece));
    piece = source_(now);
  }
  carried_ = std::move(piece);
  complete_ = !carried_;
  batch.set_last(complete_);
  parts_.push_back({std::make_shared<const std::string>(reply.SerializeAsString()), 0});
  head_.clear_buckets();
  if (complete_) source_ = nullptr;
  drop_oldest();
}

void Transfer::drop_oldest() {
  while (oldest_ < parts_.size() && parts_[oldest_].bytes == nullptr) ++oldest_;
  if (parts_.size() - oldest_ <= kMostHeldParts) return;
  seal();  // a reader that joined now would miss the dropped part
  parts_[oldest_++].bytes.reset();
}

void Transfer::release(Part& part) const {
  if (sealed_ && part.taken >= readers_) part.bytes.reset();
}

void Transfer::seal() {
  if (std::exchange(sealed_, true)) return;
  for (Part& part : parts_) release(part);
}

std::size_t Transfer::held_parts() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(parts_, [](const Part& part) { return part.bytes != nullptr; }));
}

Transfer::Reader::Reader(std::shared_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {
  MESHDNS_CHECK(!transfer_->sealed_);
  ++transfer_->readers_;
}

Transfer::Reader::~Reader() {
  --transfer_->readers_;
  for (std::size_t i = 0; i < transfer_->parts_.size(); ++i) {
    Part& part = transfer_->parts_[i];
    if (i < next_) --part.taken;
    transfer_->release(part);
  }
}

bool Transfer::Reader::lost() const {
  return next_ < transfer_->parts_.size() && transfer_->parts_[next_].bytes == nullptr;
}

EncodedReply Transfer::Reader::next(TimePoint now) {
  MESHDNS_CHECK(!done() && !lost());
  if (!transfer_->may_join(now)) transfer_->seal();
  if (next_ == transfer_->parts_.size()) transfer_->encode_next(now);
  Part& part = transfer_->parts_[next_++];
  EncodedReply out = part.bytes;
  ++part.taken;
  transfer_->release(part);
  return out;
}

bool Transfer::Reader::done() const { return transfer_->complete_ && next_ == transfer_->parts_.size(); }

}  // namespace meshdns::federation
