#pragma once
// Buffer: bytes on the heap that are not set to zero when it grows. Move-only. For frames: what
// arrives is written into spare(), then counted by add().

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "common/bytes/byte_reader.h"

namespace odradek::net {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Buffer() { std::free(data_); }

  char* data() { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const { return ByteView(data_, size_); }

  void reserve(size_t capacity) {
    if (capacity <= capacity_) return;
    void* grown = std::realloc(data_, capacity);
    if (grown == nullptr) throw std::bad_alloc();
    data_ = static_cast<char*>(grown);
    capacity_ = capacity;
  }
  char* spare() { return data_ + size_; }
  size_t spare_size() const { return capacity_ - size_; }
  void add(size_t written) { size_ += written; }
  // Grows by half at least, so that many small pieces do not move the bytes each time.
  void append(ByteView bytes) {
    if (bytes.empty()) return;
    if (bytes.size() > spare_size())
      reserve(std::max(size_ + bytes.size(), capacity_ + capacity_ / 2));
    std::memcpy(spare(), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Empty, with its memory.
  void clear() { size_ = 0; }
  // Gives the memory back.
  void reset() {
    std::free(std::exchange(data_, nullptr));
    size_ = capacity_ = 0;
  }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace odradek::net
