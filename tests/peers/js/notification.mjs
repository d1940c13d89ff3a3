// The event that all servers send; tests/peers/src/notification.rs is the same.

export const NAME = "new_notification";

export const numbered = (n) => ({
  _id: "665f1f77bcf86cd799439011",
  user: "customer-1",
  type: "order_update",
  title: "Your order is on its way",
  message: "The courier arrives between 16:30 and 17:00 today.",
  relatedOrder: "60d5f4832f8fb814b56fa181",
  read: false,
  createdAt: "2026-11-29T12:00:00.000Z",
  n,
});
