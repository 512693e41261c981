"""Five landmarks in faces of any resolution, by CNN-6 and the Wing loss.

Z.-H. Feng, J. Kittler, M. Awais, P. Huber, X.-J. Wu, "Wing Loss for Robust Facial Landmark Localisation with
Convolutional Neural Networks", CVPR 2018. RIFR aligns low-resolution faces by it, where MTCNN finds too few of them.

A point is x, y in px from the left and upper edge of the image, so that the centre of the first pixel is 0.5, 0.5, and
a resized image's points are resized alike. The five are the left eye, the right eye, the nose, the left and the right
mouth corner, left and right as the picture has them.
"""
