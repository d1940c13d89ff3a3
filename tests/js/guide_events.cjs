// The guide's listeners and its join, without changes.
socket.on('order_update', (data) => {
  console.log('Order updated:', data);
});
socket.on('payment_update', (data) => {
  console.log('Payment status:', data);
});
socket.on('tailor_status_update', (data) => {
  console.log('Tailor status:', data);
});
socket.emit('join_order_room', orderId);
