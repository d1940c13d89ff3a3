const io = require('socket.io-client');
const socket = io('http://localhost:5000', {
  extraHeaders: {
    Authorization: 'Bearer YOUR_JWT_TOKEN'
  }
});

socket.on('connect', () => console.log('Connected'));
socket.on('new_notification', (data) => console.log('Notification:', data));
