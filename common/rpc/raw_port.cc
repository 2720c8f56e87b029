#include "common/rpc/raw_port.h"

#include <vector>

namespace meshdns::rpc {

grpc::ByteBuffer buffer_of(const SharedBytes& bytes) {
  auto* held = new SharedBytes(bytes);
  // gRPC only reads the bytes, although the constructor's type allows it to write
  auto* data = const_cast<char*>(bytes->data());
  const grpc::Slice slice(
      data, bytes->size(), [](void* user) { delete static_cast<SharedBytes*>(user); }, held);
  return grpc::ByteBuffer(&slice, 1);
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string out;
  if (!buffer.Dump(&slices).ok()) return out;
  for (const grpc::Slice& slice : slices) out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

}  // namespace meshdns::rpc
