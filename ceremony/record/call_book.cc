#include "ceremony/record/call_book.h"

namespace ceremony::record {

void CallBook::PutNewestBy() {
  if (!newest_) return;
  others_.insert_or_assign(newest_->first, std::move(newest_->second));
  newest_.reset();
}

void CallBook::Begin(std::uint64_t number, Call call) {
  PutNewestBy();
  others_.erase(number);
  newest_.emplace(number, std::move(call));
  last_ = number;
}

std::optional<CallBook::Call> CallBook::End(std::uint64_t number) {
  std::optional<Call> call;
  if (newest_ && newest_->first == number) {
    call = std::move(newest_->second);
    newest_.reset();
  } else if (const auto found = others_.find(number); found != others_.end()) {
    call = std::move(found->second);
    others_.erase(found);
  }
  return call;
}

void CallBook::SettleOpen() {
  PutNewestBy();
  for (auto& [number, call] : others_) call.settled = true;
}

const std::map<std::uint64_t, CallBook::Call>& CallBook::Open() {
  PutNewestBy();
  return others_;
}

}  // namespace ceremony::record
