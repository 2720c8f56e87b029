#include "dnsd/ctl/clean.h"

#include <string>
#include <vector>

#include "common/base/printable.h"

namespace meshdns::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void clean_text(const FieldDescriptor& field, Message& message) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    reflection.SetString(&message, &field, printable(reflection.GetString(message, &field)));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    reflection.SetRepeatedString(&message, &field, i, printable(reflection.GetRepeatedString(message, &field, i)));
  }
}

void clean_messages(const FieldDescriptor& field, Message& message) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) return clean(*reflection.MutableMessage(&message, &field));
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    clean(*reflection.MutableRepeatedMessage(&message, &field, i));  // a map's entries are messages, too
  }
}

}  // namespace

void clean(Message& reply) {
  std::vector<const FieldDescriptor*> fields;
  reply.GetReflection()->ListFields(reply, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() == FieldDescriptor::TYPE_STRING) clean_text(*field, reply);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) clean_messages(*field, reply);
  }
}

}  // namespace meshdns::ctl
